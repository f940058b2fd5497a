"""`python -m boto_matrix propose FILE…`: what has changed in files as a pull request on GitHub.

The commit is made by GitHub itself, through its API: nothing is pushed, so no checkout needs a credential that may.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boto_matrix import PROJECT
from boto_matrix.ci.code_block import code_block
from boto_matrix.ci.github import GhError, gh, gh_json

_REPOSITORY = "repos/{owner}/{repo}"  # gh fills it in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="what may have changed, from the project's folder")
    parser.add_argument("--branch", required=True, help="of the pull request; what is on it is replaced")
    parser.add_argument("--base", default="main", help="into which it is to be merged (default: %(default)s)")
    parser.add_argument("--title", required=True, help="of the pull request and of its commit")
    parser.add_argument("--said", type=_file, metavar="FILE", help="what `update` said: the text of the pull request")
    parser.add_argument(
        "--run",
        metavar="WORKFLOW",
        help="a workflow to start on the branch: GitHub starts none by itself for what a workflow has proposed",
    )


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text} is no file; expected what `update` printed")
    return path


def main(arguments: argparse.Namespace, pytest_arguments: Sequence[str]) -> int:  # noqa: ARG001 - all commands are called so
    """Open the pull request, or bring it up to date; where nothing has changed there is nothing to do.

    Raises:
        GhError: gh or git is missing, or could not do it.

    """
    changed = _git("diff", "--name-only", "--relative", "HEAD", "--", *arguments.files).split()
    if not changed:
        print(f"nothing has changed in {', '.join(arguments.files)}")
        return 0
    _set_branch(arguments.branch, _commit(changed, arguments.title))
    print(_pull_request(arguments))
    if arguments.run:
        gh("workflow", "run", arguments.run, "--ref", arguments.branch)
    return 0


def _commit(files: Sequence[str], message: str) -> str:
    """Make a commit of the files as they are, on top of what is checked out."""
    parent = _git("rev-parse", "HEAD").strip()
    entries = [
        {"path": file, "mode": "100644", "type": "blob", "content": (PROJECT / file).read_text(encoding="utf-8")}
        for file in files
    ]
    tree = _post("git/trees", base_tree=_git("rev-parse", "HEAD^{tree}").strip(), tree=entries)
    commit = _post("git/commits", message=message, tree=tree["sha"], parents=[parent])
    return str(commit["sha"])


def _set_branch(branch: str, commit: str) -> None:
    """Have a branch end in a commit, in one step: a pull request whose branch has nothing new is closed by GitHub."""
    known = gh_json("api", f"{_REPOSITORY}/git/matching-refs/heads/{branch}")
    if any(ref["ref"] == f"refs/heads/{branch}" for ref in known):
        _post(f"git/refs/heads/{branch}", method="PATCH", sha=commit, force=True)
    else:
        _post("git/refs", ref=f"refs/heads/{branch}", sha=commit)


def _pull_request(arguments: argparse.Namespace) -> str:
    body = code_block(arguments.said.read_text(encoding="utf-8", errors="replace")) if arguments.said else ""
    text = ["--title", arguments.title, "--body-file", "-"]
    found = gh_json("pr", "list", "--head", arguments.branch, "--state", "open", "--json", "number", "--limit", "1")
    if found:
        gh("pr", "edit", str(found[0]["number"]), *text, text=body)
        return f"pull request {found[0]['number']} is up to date"
    branches = ["--head", arguments.branch, "--base", arguments.base]
    return f"opened {gh('pr', 'create', *branches, *text, text=body).strip()}"


def _post(path: str, method: str = "POST", **fields: object) -> Any:
    return gh_json("api", "--method", method, f"{_REPOSITORY}/{path}", "--input", "-", text=json.dumps(fields))


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - git, with arguments of our own, and no shell
            ["git", *arguments],  # noqa: S607 - the git of the user's PATH is the one that is meant
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError as error:
        raise GhError("git is not on PATH; install it") from error
    except subprocess.CalledProcessError as error:
        raise GhError(f"git {arguments[0]}: {error.stderr.strip()}") from error
    return done.stdout
