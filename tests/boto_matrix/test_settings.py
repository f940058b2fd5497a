"""`python -m boto_matrix settings`: what the workflows lack in the repository's settings."""

from __future__ import annotations

import pytest

from tests.boto_matrix.fake_gh import FakeGh
from tests.boto_matrix.small_project import REPOSITORY, SmallProject


@pytest.fixture
def gh(project: SmallProject) -> FakeGh:
    return FakeGh(project)


@pytest.mark.usefixtures("gh")
def test_where_all_is_set_nothing_is_said(project: SmallProject) -> None:
    assert project.boto_matrix("settings").output == "pages=true\nissues=true\n"


@pytest.mark.parametrize(
    ("setting", "value", "printed", "where"),
    [
        ("pages", None, "pages=false", "Settings → Pages → Build and deployment → Source: GitHub Actions"),
        ("pages", "legacy", "pages=false", "Settings → Pages → Build and deployment → Source: GitHub Actions"),
        ("has_issues", False, "issues=false", "Settings → General → Features → Issues"),
    ],
)
def test_what_is_missing_is_a_warning_that_says_where_to_set_it(
    project: SmallProject, gh: FakeGh, setting: str, value: object, printed: str, where: str
) -> None:
    gh.set(setting, value)
    done = project.boto_matrix("settings")
    assert done.exit_code == 0
    assert printed in done.output.splitlines()
    [warning] = [line for line in done.output.splitlines() if line.startswith("::warning title=")]
    assert where in warning
    assert where in (REPOSITORY / "docs/github.md").read_text().replace("**", "")


def test_what_github_does_not_say_is_tried(project: SmallProject, gh: FakeGh) -> None:
    gh.fail_at("api")
    done = project.boto_matrix("settings")
    assert done.exit_code == 0
    assert {"pages=true", "issues=true"} < set(done.output.splitlines())
    assert "could not be asked how it is set: gh api repos/" in done.output
