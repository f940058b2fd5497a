"""Who is at fault, from results in which one thing is wrong. Real faults are in test_blame_seeded.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_matrix.blame.evidence import Code, raised_in
from boto_matrix.blame.rules import RULES, Culprit, Verdict, blame, blame_cell
from boto_matrix.results.model import FOUR_SETS, CellResult, Outcome, SetOutcome
from tests.boto_matrix.made_results import CRASHED, FAILED, PASSED, TESTS, cell, one_set, run, sets
from tests.boto_matrix.small_project import REPOSITORY

NAME = "py311-boto1.26"
PLAIN, REDIRECTED = "noredirect_unpatched", "redirects_unpatched"
ALL_FAIL = dict.fromkeys(FOUR_SETS, FAILED)


def verdict(one: CellResult) -> Verdict:
    found = blame_cell(one)
    assert found is not None
    return found


def culprit(one: CellResult) -> Culprit:
    return verdict(one).culprit


def failing(name: str = NAME, **outcomes: SetOutcome) -> CellResult:
    return cell(name, outcome=Outcome.FAILED, reason="it failed", sets=sets(**outcomes))


def not_installed(output: str, reason: str | None = None) -> CellResult:
    return cell(outcome=Outcome.INSTALL_FAILED, reason=reason or output.splitlines()[-1], output=output)


def nothing_ran(output: str, name: str = NAME, boto3: str = "1.26.24") -> CellResult:
    reason = "the tests ended with exit code 4 and left no results"
    return cell(name, boto3=boto3, outcome=Outcome.CRASHED, reason=reason, output=output, sets={})


def test_nobody_is_at_fault_where_nothing_failed() -> None:
    assert blame(run(cell(), cell("py312-boto1.26", outcome=Outcome.NOT_RUN))) == {}


# The four sets


def test_patch_where_unpatched_controls_pass() -> None:
    found = verdict(failing(redirects_patched=FAILED))
    assert found.culprit is Culprit.PATCH
    expected = f"{TESTS[0]}, {TESTS[1]} and 1 more fail patched, and pass in the unpatched controls"
    assert found.because == expected
    assert found.beside("it failed") == f"At fault: the patch: {expected}"
    assert culprit(failing(noredirect_patched=FAILED)) is Culprit.PATCH


def test_patch_where_sockets_pass_is_told_with_a_doubt() -> None:
    assert "mock's targets" in verdict(failing(redirects_patched=FAILED, following=PASSED)).because
    assert "mock's targets" not in verdict(failing(redirects_patched=FAILED, following=FAILED)).because


def test_mock_where_controls_fail_and_sockets_pass() -> None:
    assert culprit(failing(**ALL_FAIL, following=PASSED)) is Culprit.MOCK


@pytest.mark.parametrize(
    "found",
    [
        failing(following=FAILED),
        failing(**ALL_FAIL),
        failing(redirects_unpatched=FAILED, redirects_patched=FAILED, following=PASSED),
    ],
    ids=["only on sockets", "controls too", "redirects, patched and unpatched"],
)
def test_where_no_rule_is_sure_it_is_unknown_and_the_reason_stands(found: CellResult) -> None:
    assert (verdict(found).culprit, verdict(found).because) == (Culprit.UNKNOWN, "it failed")


def test_botocore_where_controls_fail_and_sockets_too() -> None:
    assert culprit(failing(**ALL_FAIL, following=FAILED)) is Culprit.BOTOCORE


def test_botocore_where_only_the_control_with_redirects_fails() -> None:
    assert culprit(failing(redirects_unpatched=FAILED)) is Culprit.BOTOCORE


def test_what_most_tests_say_decides() -> None:
    several, one = one_set(FAILED, tests=TESTS), one_set(FAILED, tests=["test_other"])
    both = {"noredirect_unpatched": one, "redirects_patched": several}
    found = verdict(cell(outcome=Outcome.FAILED, reason="", sets=sets(**both)))
    assert found.culprit is Culprit.PATCH
    assert "(1 more fail in another way)" in found.because


def test_status_of_a_redirect_does_not_hide_a_test_from_its_control() -> None:
    found = sets(
        noredirect_unpatched=one_set(FAILED, tests=["test_key[quotes]"]),
        redirects_patched=one_set(FAILED, tests=["test_key[307-quotes]", "test_key[308-quotes]"]),
    )
    assert culprit(cell(outcome=Outcome.FAILED, reason="", sets=found)) is Culprit.UNKNOWN


# Errors that say it themselves


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("E   aistore_patch.errors.UnsupportedBotocoreError: Endpoint._needs_retry is not there", Culprit.PATCH),
        ("E   AssertionError: something has patched botocore in this process before the set began", Culprit.PATCH),
        ("E   mock_s3_redirect.MotoHasMovedError: moto 6.0: moto.mock_aws is not what it was", Culprit.MOCK),
        ("E   KeyError: 1\n\n.tox/py311/lib/python3.11/site-packages/moto/s3/models.py:12: KeyError", Culprit.MOCK),
        ("E   TypeError: no\n\ntests/unit/botocore_patch/mock_s3_redirect.py:12: TypeError", Culprit.MOCK),
    ],
)
def test_error_of_a_control_says_who_it_was(error: str, expected: Culprit) -> None:
    found = {name: one_set(FAILED, detail=error) for name in FOUR_SETS}
    assert culprit(cell(outcome=Outcome.FAILED, reason="", sets=sets(**found, following=FAILED))) is expected


def test_network_where_loopback_is_refused() -> None:
    error = 'E   botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: "http://127.0.0.1:1/"'
    found = sets(following=one_set(FAILED, detail=error))
    assert culprit(cell(outcome=Outcome.FAILED, reason="", sets=found)) is Culprit.NETWORK
    assert culprit(cell(outcome=Outcome.FAILED, reason="", sets={**found, "redirects_patched": one_set(FAILED)})) is (
        Culprit.PATCH
    )


# Installs


@pytest.mark.parametrize(
    "output",
    [
        "  x Failed to fetch: `https://index.test/simple/boto3/`\n  ├─▶ Request failed after 3 retries\n"
        "  ╰─▶ tcp connect error: Connection refused (os error 111)",
        "error: Could not connect, are you offline?",
        "error: HTTP status server error (503 Service Unavailable) for url (https://index.test/simple/boto3/)",
        "hint: Packages were unavailable because the network was disabled.",
        "the package index at https://index.test/simple/ cannot be asked: no answer within 2 s. Check the network",
        "  x Git operation failed\n  ╰─▶ fatal: unable to access 'https://git.test/': Could not resolve host: git.test",
    ],
)
def test_network_where_the_index_is_not_reached(output: str) -> None:
    assert culprit(not_installed(output)) is Culprit.NETWORK


@pytest.mark.parametrize(
    "output",
    [
        "  x No solution found when resolving dependencies:\n  ╰─▶ Because boto3==1.26.24 depends on botocore<1.30",
        "boto3 1.26.24 is installed, 1.26.25 was asked for",
    ],
)
def test_resolver_where_releases_do_not_fit_or_others_are_installed(output: str) -> None:
    assert culprit(not_installed(output)) is Culprit.RESOLVER


@pytest.mark.parametrize(
    "output",
    [
        "  x Failed to build `cryptography==3.0`\n  ╰─▶ Call to `setuptools.build_meta` failed",
        "  x Failed to fetch: `https://index.test/boto3/`\n  ╰─▶ HTTP status client error (401 Unauthorized)",
        "error: failed to create directory `.tox/py311`: Read-only file system (os error 30)",
        "error: Failed to inspect Python interpreter at `/opt/py/bin/python`",
    ],
)
def test_install_that_fails_for_another_reason_shows_what_the_installer_said(output: str) -> None:
    found = verdict(not_installed(output, reason="it could not be installed"))
    assert found.culprit is Culprit.UNKNOWN
    assert output.rpartition("╰─▶ ")[2] in found.because


def test_interpreter_where_there_is_none() -> None:
    found = verdict(cell(outcome=Outcome.NO_INTERPRETER, reason="there is no Python 3.11 on this machine"))
    assert found.because == "there is no Python 3.11 on this machine"


# Nothing ran, or not to the end

_IMPORT = """ImportError while loading conftest
{path}:6: in <module>
    import it
E   ModuleNotFoundError: No module named 'it'"""


def test_pytest_that_does_not_start_shows_what_it_said() -> None:
    said = "ERROR: usage: pytest\npytest: error: unrecognized arguments: --lf\n  rootdir: /there\n"
    found = verdict(nothing_ran(said))
    assert found.culprit is Culprit.UNKNOWN
    assert found.because.endswith("left no results: pytest: error: unrecognized arguments: --lf")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("aistore_patch/seam.py", Culprit.PATCH),
        (".tox/py311/lib/python3.11/site-packages/moto/core/__init__.py", Culprit.MOCK),
        ("tests/unit/botocore_patch/mock_s3_redirect.py", Culprit.MOCK),
        (".tox/py311/lib/python3.11/site-packages/botocore/utils.py", Culprit.INTERPRETER),
    ],
)
def test_import_that_fails_says_whose_it_is(path: str, expected: Culprit) -> None:
    found = verdict(nothing_ran(_IMPORT.format(path=path)))
    assert found.culprit is expected
    assert "No module named 'it'" in found.because


def test_patch_where_only_a_patched_set_dies_or_hangs() -> None:
    for outcome in (CRASHED, SetOutcome.NOT_RUN):
        found = cell(outcome=Outcome.CRASHED, reason="it did", sets=sets(redirects_patched=outcome))
        assert culprit(found) is Culprit.PATCH


def test_tests_that_took_too_long_everywhere_are_nobodys_fault_for_certain() -> None:
    reason = "the tests took longer than they may (tests_timeout in tox.ini) and were ended"
    found = verdict(cell(outcome=Outcome.CRASHED, reason=reason, sets=sets(noredirect_unpatched=SetOutcome.NOT_RUN)))
    assert found.culprit is Culprit.UNKNOWN
    assert found.because == reason


def test_failure_that_fits_no_rule_is_unknown() -> None:
    found = verdict(cell(outcome=Outcome.FAILED, reason="pytest found a failure outside the sets"))
    assert found.culprit is Culprit.UNKNOWN
    assert found.beside(found.because) == "Unknown who is at fault"


# The table as a whole

details = st.sampled_from(
    [None, "", "E   KeyError: 1", _IMPORT.format(path="lib/moto/x.py"), "E   UnsupportedBotocoreError: no"]
)
some_sets = st.dictionaries(
    st.sampled_from([*FOUR_SETS, "following"]),
    st.builds(
        lambda outcome, tests, detail: one_set(outcome, tests=tests, detail=detail),
        st.sampled_from(list(SetOutcome)),
        st.lists(st.sampled_from([*TESTS, "collection"]), unique=True),
        details,
    ),
)
some_cells = st.builds(
    lambda name, outcome, found, reason, output: cell(name, outcome=outcome, sets=found, reason=reason, output=output),
    st.sampled_from([NAME, "py312-boto1.26"]),
    st.sampled_from(list(Outcome)),
    some_sets,
    st.none() | st.text(max_size=20),
    details,
)


@given(one=some_cells)
def test_every_cell_that_failed_has_one_verdict_and_no_other_has(one: CellResult) -> None:
    found = blame_cell(one)
    is_to_be_judged = one.outcome.is_failure or one.outcome is Outcome.NO_INTERPRETER
    assert (found is not None) == is_to_be_judged
    if found is not None:
        assert found.because


@given(one=some_cells)
def test_patch_is_not_at_fault_for_what_a_control_shows_without_it(one: CellResult) -> None:
    plain = one_set(FAILED, tests=[*TESTS, "collection"], detail="E   AssertionError: no")
    spoiled = one.model_copy(update={"outcome": Outcome.FAILED, "sets": {**one.sets, PLAIN: plain}, "output": None})
    found = blame_cell(spoiled)
    assert found is not None
    if found.culprit is Culprit.PATCH:
        assert "itself" in found.rule or "finds botocore patched" in found.rule


def test_every_rule_says_what_it_looks_for_and_no_two_the_same() -> None:
    assert len({rule.when for rule in RULES}) == len(RULES)
    assert {rule.culprit for rule in RULES} == set(Culprit) - {Culprit.UNKNOWN}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('  File "/there/site-packages/botocore/client.py", line 12, in call', Code.BOTOCORE),
        ('INTERNALERROR>   File "/there/tests/conftest.py", line 12, in call', Code.TESTS),
        ("tests/a.py:1: in f\naistore_patch/seam.py:2: KeyError", Code.PATCH),
        ("aistore_patch/seam.py:2: in f\n/usr/lib/python3.11/json/decoder.py:2: KeyError", Code.PATCH),
        ("/home/moto-fan/tests/unit/botocore_patch/conftest.py:3: AssertionError", Code.TESTS),
        ("nothing", None),
    ],
)
def test_whose_code_raised_an_error_is_read_from_its_last_frame(text: str, code: Code | None) -> None:
    assert raised_in(text) is code


def test_table_in_the_documentation_is_that_of_the_code() -> None:
    rows = "".join(f"| {rule.culprit.value} | {rule.when} |\n" for rule in RULES)
    assert (REPOSITORY / "docs" / "results.md").read_text().endswith(f"| at fault | when |\n|---|---|\n{rows}")
