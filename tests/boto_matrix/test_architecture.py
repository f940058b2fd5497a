"""The page about the architecture shows the packages as they are."""

from __future__ import annotations

from tests.boto_matrix.architecture import PAGE, drawn


def test_the_page_shows_the_packages_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == drawn(text), "docs/architecture.md is out of date: run `python -m tests.boto_matrix.architecture`"
