"""`python -m tests.boto_matrix.architecture`: draw the packages of boto_matrix into docs/architecture.md.

The picture is made of the imports themselves, and the words beside it of what each package says of itself. That the
page is up to date is a test; which imports there may be is in pyproject.toml, and `make lint` checks it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "architecture.md"
_PACKAGE = "boto_matrix"
_LOADER = f"{_PACKAGE}.__main__"  # loads the commands by name, so that each costs no more than what it imports
_BEGIN, _END = "<!-- made by python -m tests.boto_matrix.architecture -->", "<!-- made until here -->"

Arrows = Mapping[str, set[str]]


def drawn(text: str) -> str:
    """Give the text of the page with the picture and the list as the code has them now."""
    before, after = text.partition(_BEGIN)[0], text.partition(_END)[2]
    arrows = _arrows()
    lines = ["```mermaid", "flowchart TD", *_picture(arrows), "```", "", *_table(arrows)]
    return "\n".join([before + _BEGIN, "", *lines, "", _END]) + after


def _arrows() -> Arrows:
    """Find which package imports which, also where it does so in a function or for types only."""
    graph = grimp.build_graph(_PACKAGE, cache_dir=None)
    packages = sorted(graph.find_children(_PACKAGE) - {_LOADER})
    return {
        _name(package): {
            _name(other)
            for other in packages
            if other != package and graph.direct_import_exists(importer=package, imported=other, as_packages=True)
        }
        for package in packages
    }


def _picture(arrows: Arrows) -> Iterator[str]:
    for package in arrows:
        for other in sorted(arrows[package]):
            if not any(other in _below(between, arrows) for between in arrows[package]):
                yield f"    {package} --> {other}"


def _below(package: str, arrows: Arrows) -> set[str]:
    """Give all packages that one imports, itself or through others."""
    return arrows[package].union(*(_below(other, arrows) for other in arrows[package]))


def _table(arrows: Arrows) -> Iterator[str]:
    yield from ("| package | what it is for |", "|---|---|")
    for package in sorted(arrows, key=lambda one: (-len(_below(one, arrows)), one)):
        yield f"| `{package}` | {_purpose(package)} |"


def _purpose(package: str) -> str:
    """Give the first paragraph of a package's docstring."""
    folder = REPOSITORY / _PACKAGE / package
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n\n")[0].replace("\n", " ")


def _name(module: str) -> str:
    return module.removeprefix(f"{_PACKAGE}.")


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
