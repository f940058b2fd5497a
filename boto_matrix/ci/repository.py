"""The settings of the repository on GitHub that the workflows need, as far as a workflow may read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from boto_matrix.ci.github import GhError, gh_json

_REPOSITORY = "repos/{owner}/{repo}"  # gh fills it in
_NOT_FOUND = "HTTP 404"

_Judge = Callable[[Mapping[str, object]], str]


@dataclass(frozen=True)
class Setting:
    """Whether something is set as the workflows need it.

    Attributes:
        name: what needs it: `pages` or `issues`.
        problem: what is missing, what that has for a consequence, and where to set it; empty if nothing is.
        is_known: whether GitHub has said so; what is not known counts as set.

    """

    name: str
    problem: str = ""
    is_known: bool = True

    @property
    def is_set(self) -> bool:
        """Whether what needs it is to be tried."""
        return not self.problem or not self.is_known


def settings() -> list[Setting]:
    """Ask GitHub how the repository is set; what it does not say is no failure."""
    return [_asked("pages", f"{_REPOSITORY}/pages", _pages), _asked("issues", _REPOSITORY, _issues)]


def _asked(name: str, path: str, judge: _Judge) -> Setting:
    try:
        return Setting(name, judge(gh_json("api", path)))
    except GhError as error:
        if _NOT_FOUND in str(error):
            return Setting(name, judge({}))
        return Setting(name, f"it could not be asked how it is set: {error}", is_known=False)


def _pages(found: Mapping[str, object]) -> str:
    if found.get("build_type") == "workflow":
        return ""
    return (
        "GitHub Pages is not published from workflows, so that nobody sees the report. Choose Settings → Pages → "
        "Build and deployment → Source: GitHub Actions"
    )


def _issues(found: Mapping[str, object]) -> str:
    if found.get("has_issues"):
        return ""
    return "Issues are off, so that nobody is told of a red night. Tick Settings → General → Features → Issues"
