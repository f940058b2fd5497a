"""No password, token or key leaves the process: not of an override, an index, or another environment variable."""

from __future__ import annotations

import html
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from boto_matrix.ci.issue import NightlyIssue
from boto_matrix.commands import run as run_command
from boto_matrix.errors import UserError
from boto_matrix.matrix.cells import Cell, Pin
from boto_matrix.redaction import redacted
from boto_matrix.releases.index import index_from_environment
from boto_matrix.releases.override import RequestError, read_override
from boto_matrix.report.badge import badge
from boto_matrix.report.markdown import markdown
from boto_matrix.report.model import Report
from boto_matrix.report.page import page
from boto_matrix.report.terminal import show
from boto_matrix.results.model import RunResult
from boto_matrix.running.events import Event, Happened
from boto_matrix.running.recorder import Recorder
from tests.boto_matrix.made_results import STARTED
from tests.boto_matrix.small_project import PY, SmallProject

PIN = Pin("1.26.24", "1.29.24", ("3.11",), None, 1, "boto1.26.24")
CELLS = [Cell("3.11", PIN), Cell("3.12", PIN)]

# Marked, so that one cannot be part of what is said anyway.
secret = st.text("ab01!$&'()*+,;=:~._-%@/ é", min_size=1, max_size=12).map(lambda text: f"Q{text}Z9")
scheme = st.sampled_from(["https", "git+https", "hg+http", "ssh+x"])


@given(scheme=scheme, user=secret, password=secret)
def test_the_user_and_the_password_of_a_url_are_left_out_and_all_else_stays(
    scheme: str, user: str, password: str
) -> None:
    user, password = quote(user, safe="!$&'()*+,;=~._-"), quote(password, safe="!$&'()*+,;=:~._-@")
    text = redacted(f"it is at <{scheme}://{user}:{password}@host.invalid:8080/x@branch#egg=y>, and 3 @ 4")
    assert text == f"it is at <{scheme}://***@host.invalid:8080/x@branch#egg=y>, and 3 @ 4"


@pytest.mark.parametrize(
    "text",
    [
        "git+ssh://git@host.invalid/x.git@develop",
        "git+https://host.invalid:8443/x.git@develop",
        "git+https://[::1]:8443/x.git@develop",
        "https://host.invalid/a@b and c@d",
        "made by somebody@host.invalid",
        "/a//b@c",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("text", ["https://u:pa/ss@host.invalid/x", "git+ssh://git:pa/ss@host.invalid/x", "//t@h/x"])
def test_what_is_not_escaped_is_left_out_all_the_same(text: str) -> None:
    assert redacted(text).endswith("://***@host.invalid/x") or "pa" not in redacted(text)
    assert "ss@" not in redacted(text)


@pytest.mark.parametrize(
    ("name", "value", "told", "hidden"),
    [
        ("GH_TOKEN", "ghp_abcdef", "HTTP 401: ghp_abcdef is no token", "ghp_abcdef"),
        ("UV_INDEX_MINE_PASSWORD", "hunter2", "hunter2 was refused", "hunter2"),
        ("AWS_SECRET_ACCESS_KEY", "wJalr/XUtn", "signed with wJalr/XUtn", "wJalr/XUtn"),
        ("HTTPS_PROXY", "http://me:opensesame@proxy.invalid", "Basic me:opensesame", "opensesame"),
        ("PIP_INDEX_URL", "https://me:open%20sesame@host.invalid", "user me, password open sesame", "open sesame"),
        ("BOTO3_VERSION", "git+https://host.invalid/x?private_token=glpat-123", "glpat-123 expired", "glpat-123"),
    ],
)
def test_a_secret_of_the_environment_is_left_out_wherever_it_stands(
    name: str, value: str, told: str, hidden: str
) -> None:
    with mock.patch.dict(os.environ, {name: value}):
        assert hidden not in redacted(told)
        assert "***" in redacted(told)


@pytest.mark.parametrize("environ", [{"TOKENIZERS_PARALLELISM": "false"}, {"SSH_AUTH_SOCK": "/run/x"}, {"X_KEY": "a"}])
def test_what_is_only_named_like_a_secret_hides_nothing(environ: dict[str, str]) -> None:
    with mock.patch.dict(os.environ, environ):
        assert redacted("false, in /run/x/a") == "false, in /run/x/a"


# Everything that says anything


def cell_report(said: str) -> dict[str, object]:
    test = {"name": "test_one", "outcome": "failed", "seconds": 0.1, "detail": f"E   ValueError: {said}"}
    one = {"outcome": "failed", "seconds": 0.1, "cpu_seconds": 0.1, "tests": [test]}
    packages = {"boto3": "1.26.24", "botocore": "1.29.24"}
    return {"format": 1, "python": "3.11.7", "executable": "/no/bin/python", "packages": packages, "sets": {"a": one}}


def recorded(said: str, folder: Path) -> tuple[RunResult, str]:
    """A run in which everything that happened said something: one cell failed and one could not be installed."""
    (folder / "cell.json").write_text(json.dumps(cell_report(said)), encoding="utf-8")
    with mock.patch("sys.argv", ["boto_matrix", "run", "--", "-k", said]):
        recorder = Recorder(
            CELLS,
            blank=run_command._blank(STARTED),
            path=folder / "results.json",
            repeat=lambda names: run_command.repeat_command(names, ["-k", said]),
            arguments=redacted(said),
        )
    first, second = (cell.name for cell in CELLS)
    events = [
        Event(first, Happened.STARTED),
        Event(first, Happened.INSTALLED, requested={"boto3": "1.26.24"}),
        Event(first, Happened.ENDED, text=said, exit_code=1, results=str(folder / "cell.json")),
        Event(second, Happened.STARTED),
        Event(second, Happened.INSTALL_FAILED, text=f"error: {said}"),
    ]
    lines = [event.line() for event in events]
    for line in lines:
        recorder.hear(Event.of_line(line), is_stopping=False)
    recorder.close(is_stopped=False)
    return recorder.run, b"".join(lines).decode()


def outputs(said: str) -> Iterator[str]:
    """All that is said of that run, in all forms; and of what cannot be done at all."""
    with tempfile.TemporaryDirectory() as name:
        run, events = recorded(said, Path(name))
        yield events
        yield Path(name, "results.json").read_text(encoding="utf-8")
    report = Report(run, run)
    issue = NightlyIssue(report, ("py311-boto1.26.24",), bisect=redacted(said))
    terminal = io.StringIO()
    show(run, Console(file=terminal, width=10_000))
    yield from (page(report), markdown(report), badge(report), issue.title, issue.body, terminal.getvalue())
    yield str(UserError(said))
    with pytest.raises(RequestError) as refused:
        read_override("boto3", said)
    yield str(refused.value)
    yield index_from_environment().shown_url


@settings(max_examples=20)
@given(password=secret, token=secret)
@example(password="Qa/b@cZ9", token="Q:Z9")
def test_no_output_has_a_secret(password: str, token: str) -> None:
    escaped = quote(password, safe="")
    environ = {
        "BOTO3_VERSION": f"git+https://me:{escaped}@host.invalid/boto3.git@develop",
        "UV_DEFAULT_INDEX": f"https://me:{escaped}@index.invalid/simple",
        "MY_TOKEN": token,
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", ""),
    }
    said = f"{environ['BOTO3_VERSION']} {environ['UV_DEFAULT_INDEX']}: {password} {token}"
    with mock.patch.dict(os.environ, environ, clear=True):
        for text in outputs(said):
            forms = (text, html.unescape(text), re.sub(r"\\(.)", r"\1", html.unescape(text)))
            assert not [one for one in (password, escaped, token) if any(one in form for form in forms)]


def test_a_run_leaves_no_secret_behind(project: SmallProject) -> None:
    cell = f"{PY}-boto1.26"
    version = "git+https://me:opensesame@127.0.0.1:1/boto3.git"
    done = project.boto_matrix("run", cell, BOTO3_VERSION=version, BOTOCORE_VERSION="1.29.24", SOME_TOKEN="xyzzy42")
    assert done.exit_code == 1
    assert "BOTO3_VERSION='git+https://***@127.0.0.1:1/boto3.git'" in done.output
    kept = [path.read_text(encoding="utf-8") for path in (project.folder / "results").iterdir()]
    assert len(kept) == 2, "results and a log"
    assert not [text for text in (done.output, *kept) if "opensesame" in text or "xyzzy42" in text]
    for form in ("html", "markdown", "badge", "terminal"):
        said = project.boto_matrix("report", "--format", form, "--output", "-").output
        assert "opensesame" not in said
