"""GitHub's own command line, gh, which knows where and as whom it works: GH_TOKEN, GH_REPO.

https://cli.github.com/manual/
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from boto_matrix.errors import UserError


class GhError(UserError):
    """gh is not there, or could not do what it was asked; the message says which."""


def gh(*arguments: str, text: str | None = None) -> str:
    """Run gh.

    Args:
        arguments: what it is to do.
        text: what it reads on its standard input.

    Returns:
        What it printed.

    Raises:
        GhError: it is not installed, or failed; with what it said.

    """
    program = shutil.which("gh")
    if program is None:
        raise GhError("gh, GitHub's command line, is not on PATH; install it (https://cli.github.com) and log in")
    done = subprocess.run(  # noqa: S603 - gh, with arguments of our own, and no shell
        [program, *arguments], input=text or "", capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
        raise GhError(f"gh {' '.join(arguments[:2])}: {said}")
    return done.stdout


def gh_json(*arguments: str, text: str | None = None) -> Any:
    """Run gh, and read what it printed as JSON.

    Raises:
        GhError: as `gh` does, or it printed something else.

    """
    answer = gh(*arguments, text=text)
    try:
        return json.loads(answer)
    except ValueError as error:
        raise GhError(f"gh {' '.join(arguments[:2])}: expected JSON, not {answer[:200]!r}") from error
