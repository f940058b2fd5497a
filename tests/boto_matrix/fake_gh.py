"""A program that stands for gh: it remembers what it was asked, and what there would be on GitHub after that."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.boto_matrix.small_project import SmallProject

_PROGRAM = """#!{python}
import json, pathlib, sys

state_file = pathlib.Path({state!r})
state = json.loads(state_file.read_text())
arguments, text = sys.argv[1:], sys.stdin.read()
state["asked"].append([arguments, text])


def option(name):
    return arguments[arguments.index(name) + 1] if name in arguments else None


def fail(said):
    print(said, file=sys.stderr)
    sys.exit(1)


def things(kind):
    return state["issues" if kind == "issue" else "pulls"]


def api():
    path, fields = next(one for one in arguments if one.startswith("repos/")), json.loads(text or "null")
    if path == "repos/{{owner}}/{{repo}}":
        return {{"has_issues": state["has_issues"]}}
    if path.endswith("/pages"):
        return {{"build_type": state["pages"]}} if state["pages"] else fail("gh: Not Found (HTTP 404)")
    path = path.removeprefix("repos/{{owner}}/{{repo}}/git/")
    if path.startswith("matching-refs/heads/"):
        prefix = "refs/heads/" + path.removeprefix("matching-refs/heads/")
        return [{{"ref": ref}} for ref in state["refs"] if ref.startswith(prefix)]
    if path == "refs":
        assert fields["ref"] not in state["refs"], "Reference already exists"
        state["refs"][fields["ref"]] = fields["sha"]
    elif path.startswith("refs/"):
        assert option("--method") == "PATCH" and fields["force"] and path in state["refs"]
        state["refs"][path] = fields["sha"]
    sha = str(len(state["objects"]))
    state["objects"][sha] = fields
    return {{"sha": sha}}


def answer():
    kind, what = arguments[:2]
    if kind == "api":
        return json.dumps(api())
    if what == "list":
        head = option("--head")
        return json.dumps([one for one in things(kind) if one["open"] and head in (None, one["head"])])
    if arguments[:2] == ["pr", "create"] and not state["may_propose"]:
        fail("pull request create failed: GraphQL: GitHub Actions is not permitted to create or approve pull requests")
    if what == "create" and kind != "label":
        number = len(things(kind)) + 7
        things(kind).append({{"number": number, "open": True, "title": option("--title"), "body": text,
                              "label": option("--label"), "head": option("--head")}})
        return "https://example.test/" + str(number) + "\\n"
    if what in ("edit", "close"):
        one = next(one for one in things(kind) if str(one["number"]) == arguments[2])
        one.update({{"open": False}} if what == "close" else {{"title": option("--title"), "body": text}})
    return ""


if state["fails"] and arguments[0] == state["fails"]:
    fail("HTTP 403: Resource not accessible by integration")
print(answer(), end="")
state_file.write_text(json.dumps(state))
"""


@dataclass
class FakeGh:
    """gh on the PATH of a project's commands."""

    project: SmallProject

    def __post_init__(self) -> None:
        folder = self.project.folder / "bin"
        folder.mkdir()
        (folder / "gh").write_text(_PROGRAM.format(python=sys.executable, state=str(self._file)))
        (folder / "gh").chmod(0o755)
        self.project.environ["PATH"] = os.pathsep.join([str(folder), "/usr/bin", "/bin"])
        self._file.write_text(
            json.dumps(
                {
                    **{"asked": [], "fails": None, "issues": [], "pulls": [], "refs": {}, "objects": {}},
                    **{"has_issues": True, "pages": "workflow", "may_propose": True},
                }
            )
        )

    @property
    def _file(self) -> Path:
        return self.project.folder / "github.json"

    def __getitem__(self, name: str) -> Any:
        """What there is on GitHub: `issues`, `pulls`, `refs`, `objects`; and `asked`, what gh was asked."""
        return json.loads(self._file.read_text())[name]

    def fail_at(self, command: str) -> None:
        """Refuse a command from now on."""
        self.set("fails", command)

    def set(self, name: str, value: object) -> None:
        """Change how the repository is set: `has_issues`, `pages` (what publishes them), `may_propose`."""
        self._file.write_text(json.dumps({**json.loads(self._file.read_text()), name: value}))
