"""`python -m boto_matrix settings`: which settings of the repository on GitHub the workflows lack (docs/github.md)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from boto_matrix.ci.repository import settings


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Take nothing: gh knows which repository is meant."""


def main(_: argparse.Namespace, __: Sequence[str]) -> int:
    """Print lines for GITHUB_OUTPUT, `pages=true`, and a warning for each setting that is missing.

    Returns:
        0: what is missing is left out of the night, and does not turn it red.

    """
    for setting in settings():
        if setting.problem:
            # https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
            text = " ".join(f"{setting.problem} (docs/github.md).".replace("%", "%25").split())
            print(f"::warning title=A setting of the repository: {setting.name}::{text}", file=sys.stderr)
        print(f"{setting.name}={str(setting.is_set).lower()}")
    return 0
