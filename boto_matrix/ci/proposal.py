"""What has changed in files as a pull request on GitHub.

The commit is made by GitHub itself, through its API: nothing is pushed, so no checkout needs a credential that may.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from boto_matrix import PROJECT
from boto_matrix.ci.github import GhError, gh, gh_json
from boto_matrix.report.markdown import code_block

_REPOSITORY = "repos/{owner}/{repo}"  # gh fills it in
_ALLOW = (
    "Tick Settings → Actions → General → Workflow permissions → "
    "Allow GitHub Actions to create and approve pull requests (docs/github.md)"
)


@dataclass(frozen=True)
class Proposal:
    """A pull request to open, or to bring up to date.

    Attributes:
        branch: its branch; what is on it is replaced.
        base: the branch into which it is to be merged.
        title: its title, and that of its commit.
        said: what a program said about it: its text.

    """

    branch: str
    base: str
    title: str
    said: str = ""


def changed_files(files: Sequence[str]) -> list[str]:
    """Give those of the project's files that are not as they were committed.

    Raises:
        GhError: git is missing, or could not do it.

    """
    return _git("diff", "--name-only", "--relative", "HEAD", "--", *files).split()


def propose(files: Sequence[str], proposal: Proposal) -> str:
    """Open a pull request with files as they are now, or bring the open one up to date; returns what was done.

    Raises:
        GhError: gh or git is missing, or could not do it.

    """
    _set_branch(proposal.branch, _commit(files, proposal.title))
    return _pull_request(proposal)


def start_workflow(workflow: str, branch: str) -> None:
    """Start a workflow on a branch: GitHub starts none by itself for what a workflow has proposed.

    Raises:
        GhError: gh is missing, or could not do it.

    """
    gh("workflow", "run", workflow, "--ref", branch)


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


def _pull_request(proposal: Proposal) -> str:
    body = code_block(proposal.said) if proposal.said else ""
    text = ["--title", proposal.title, "--body-file", "-"]
    found = gh_json("pr", "list", "--head", proposal.branch, "--state", "open", "--json", "number", "--limit", "1")
    if found:
        gh("pr", "edit", str(found[0]["number"]), *text, text=body)
        return f"pull request {found[0]['number']} is up to date"
    branches = ["--head", proposal.branch, "--base", proposal.base]
    try:
        return f"opened {gh('pr', 'create', *branches, *text, text=body).strip()}"
    except GhError as error:
        if "not permitted to create" in str(error):  # no token of a workflow may ask for this beforehand
            raise GhError(f"{error}. {_ALLOW}; the branch {proposal.branch} is there") from error
        raise


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
