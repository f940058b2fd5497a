"""`python -m aistore_patch doctor`: what it finds by reading alone."""

from __future__ import annotations

import json
import socket
import sys
import threading
from pathlib import Path
from typing import Iterator

import pytest

from aistore_patch.program.doctor import within
from aistore_patch.program.doctor.finding import OK, PROBLEM, Finding, plain
from tests.cluster import AUTHORITY, Cluster, Fault, server_context

from .conftest import BUCKET, ROOT, Finished, run

SECRET = "a-secret-that-nobody-sees"


def doctor(*words: object, **variables: str) -> Finished[str]:
    secrets = {"AWS_ACCESS_KEY_ID": "AKIDSECRET", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SECRET}
    done = run(sys.executable, "-m", "aistore_patch", "doctor", *words, cwd=ROOT, **{**secrets, **variables})
    assert "Traceback" not in done.stderr, done.stderr
    for secret in (SECRET, "AKIDSECRET", "pid=", "utm=", "ignature="):
        assert secret not in done.stdout + done.stderr
    return done


def findings(*words: object, code: int, **variables: str) -> list[Finding]:
    """What the doctor finds, when it ends with this code."""
    done = doctor(*words, "--json", **variables)
    assert done.returncode == code, done.stdout + done.stderr
    document = json.loads(done.stdout)
    found = [Finding(**one) for one in document["findings"]]
    assert document["problems"] == sum(finding.level == PROBLEM for finding in found)
    return found


def only(found: list[Finding], about: str) -> Finding:
    (finding,) = (finding for finding in found if finding.about == about)
    return finding


def problems(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.level == PROBLEM]


def test_it_tells_versions_and_that_botocore_is_known() -> None:
    import botocore

    found = findings(code=0)
    assert only(found, "botocore").text == f"version {botocore.__version__}"
    assert only(found, "support").level == OK
    assert sys.executable in only(found, "python").text


def test_it_tells_each_limit_and_where_it_comes_from() -> None:
    found = findings(code=0, AISTORE_PATCH_ALLOW_HOSTS="10.0.0.0/8,*.example", AISTORE_PATCH_SHORT_WAY="0")
    assert only(found, "policy.allow_hosts").text == "10.0.0.0/8, *.example (from AISTORE_PATCH_ALLOW_HOSTS)"
    assert only(found, "policy.short_way").text == "off (from AISTORE_PATCH_SHORT_WAY)"
    assert only(found, "policy.max_hops").text == "5 (the default; AISTORE_PATCH_MAX_HOPS is not set)"


def test_a_line_is_a_finding_and_the_last_one_counts() -> None:
    done = doctor(AISTORE_PATCH_MAX_HOP="3")
    assert done.returncode == 1
    *lines, last = done.stdout.splitlines()
    assert any(line.startswith("problem policy: AISTORE_PATCH_MAX_HOP is not a setting") for line in lines)
    assert all(line.split()[0] in ("ok", "note", "warning", "problem") for line in lines)
    assert last == "1 problem found"


@pytest.mark.parametrize(("package", "version", "is_told"), [("pyarrow", "17.0.0", True), ("pyarrow", "16.1.0", False)])
def test_clients_that_are_not_covered_are_named(tmp_path: Path, package: str, version: str, is_told: bool) -> None:
    metadata = tmp_path / f"{package}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    found = [one for one in findings(code=0, PYTHONPATH=str(tmp_path)) if one.about == f"client.{package}"]
    assert bool(found) is is_told
    for finding in found:
        assert finding.level == "warning"
        assert "wrong bytes" in finding.text
        assert "s3fs" in finding.do


def test_an_unknown_botocore_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "botocore").mkdir()
    for name in ("__init__.py", "exceptions.py", "endpoint.py"):
        (tmp_path / "botocore" / name).write_text("class ClientError(Exception): pass\n")
    finding = only(findings(code=1, PYTHONPATH=str(tmp_path)), "support")
    assert finding.level == PROBLEM
    assert "lacks what the patch stands on" in finding.text


def test_it_names_the_targets_and_reaches_each(cluster: Cluster) -> None:
    found = findings("--endpoint", cluster.endpoint_url, code=0)
    assert only(found, "server").text == "it is an AIStore"
    reached = [finding.text for finding in found if finding.about == "target"]
    assert reached == [f"{url} can be reached from here, and answers" for url in sorted(t.url for t in cluster.targets)]
    assert {entry.method for entry in cluster.ledger.requests()} == {"GET", "HEAD"}


def test_a_dead_target_is_a_problem_with_its_story(cluster: Cluster) -> None:
    cluster.targets[1].kill()
    (problem,) = problems(findings("--endpoint", cluster.endpoint_url, "--bucket", BUCKET, code=1))
    assert problem.about == "target"
    assert problem.text.startswith(f"{cluster.targets[1].url} cannot be used from here: ")
    assert "which refused the connection" in problem.text


def test_a_target_that_answers_wrongly_is_a_problem(cluster: Cluster) -> None:
    cluster.targets[0].fail_with(Fault.ACCESS_DENIED)
    (problem,) = problems(findings("--endpoint", cluster.endpoint_url, code=1))
    assert f"{cluster.targets[0].url} was reached, and answered: " in problem.text


def test_a_policy_that_forbids_the_targets_is_a_problem() -> None:
    with Cluster(own_addresses=True) as cluster:
        cluster.store.create_bucket(BUCKET)
        found = findings("--endpoint", cluster.endpoint_url, code=1, AISTORE_PATCH_ALLOW_HOSTS="10.0.0.0/8")
        assert "is not in allow_hosts" in only(found, "redirects").text
        assert only(found, "redirects").do.startswith("Allow it in the policy")


def test_redirects_from_https_to_http_are_a_problem_and_tls_is_verified() -> None:
    with Cluster(proxy_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)
        (untrusted,) = problems(findings("--endpoint", cluster.endpoint_url, code=1))
        assert "certificate verify failed" in untrusted.text
        assert "AWS_CA_BUNDLE" in untrusted.do
        found = findings("--endpoint", cluster.endpoint_url, code=1, AWS_CA_BUNDLE=str(AUTHORITY))
        assert "allow_downgrade=True would permit it" in only(found, "redirects").text


def test_a_target_whose_certificate_is_not_trusted_is_a_problem() -> None:
    with Cluster(target_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)
        found = problems(findings("--endpoint", cluster.endpoint_url, code=1))
        assert {problem.about for problem in found} == {"target"}
        assert all("AWS_CA_BUNDLE" in problem.do for problem in found)


def test_a_location_of_another_object_is_a_problem(cluster: Cluster) -> None:
    cluster.proxy.fail_with(Fault.redirect(b"http://127.0.0.1:1/s3/capb/other?token=" + SECRET.encode()))
    found = findings("--endpoint", cluster.endpoint_url, "--bucket", BUCKET, code=1)
    assert any("does not name the object" in problem.text for problem in problems(found))


def test_an_endpoint_without_its_path_is_told_the_right_one(cluster: Cluster) -> None:
    root = cluster.endpoint_url[: -len("/s3")]
    (problem,) = problems(findings("--endpoint", root, code=1))
    assert problem.do.startswith(f"Use {cluster.endpoint_url}")
    cluster.proxy.s3_api_via_root = True
    assert "S3-API-via-Root" in only(findings("--endpoint", root, code=0), "feature").text


def test_a_bucket_that_is_not_there(cluster: Cluster) -> None:
    (problem,) = problems(findings("--endpoint", cluster.endpoint_url, "--bucket", "absent", code=1))
    assert problem.text == "there is no bucket absent"


def test_a_cluster_without_buckets(cluster: Cluster) -> None:
    cluster.store.delete_bucket(BUCKET)
    assert only(findings("--endpoint", cluster.endpoint_url, code=0), "redirects").do == "Name one with --bucket"


@pytest.mark.parametrize("status", [401, 403])
def test_access_that_is_denied(cluster: Cluster, status: int) -> None:
    cluster.proxy.fail_with(Fault.error(status, "AccessDenied"), when=lambda request: request.method == "HEAD")
    (problem,) = problems(findings("--endpoint", cluster.endpoint_url, code=1))
    assert problem.do == "Check the credentials"


@pytest.mark.parametrize("status", [403, 500])
def test_objects_that_the_gateway_does_not_redirect_but_fail(cluster: Cluster, status: int) -> None:
    cluster.proxy.fail_with(Fault.error(status, "Wrong"), when=lambda request: b"doctor" in request.path)
    (problem,) = problems(findings("--endpoint", cluster.endpoint_url, code=1))
    assert f"status {status}" in problem.text


def test_a_gateway_that_answers_for_objects_itself_is_told_from_one_that_redirects(cluster: Cluster) -> None:
    cluster.proxy.fail_with(Fault.error(404, "NoSuchKey"), when=lambda request: b"doctor" in request.path)
    finding = only(findings("--endpoint", cluster.endpoint_url, code=0), "redirects")
    assert "S3-Reverse-Proxy" in finding.text


def test_a_gateway_that_answers_head_itself(cluster: Cluster) -> None:
    cluster.proxy.fail_with(
        Fault.error(404, "NoSuchKey"), when=lambda request: request.method == "HEAD" and b"doctor" in request.path
    )
    assert "S3-Redirect-Rebuild" in only(findings("--endpoint", cluster.endpoint_url, code=0), "feature").text


def test_without_credentials_requests_are_not_signed(cluster: Cluster) -> None:
    nobody = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "")
    found = findings("--endpoint", cluster.endpoint_url, code=0, HOME="/nonexistent", **nobody)
    assert "not signed" in only(found, "credentials").text


def test_a_profile_that_is_not_there_is_a_problem(cluster: Cluster) -> None:
    (problem,) = problems(findings("--endpoint", cluster.endpoint_url, code=1, AWS_PROFILE="absent"))
    assert "no client can be made" in problem.text
    assert "absent" in problem.text


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_an_endpoint_that_refuses_connections() -> None:
    (problem,) = problems(findings("--endpoint", f"http://user:{SECRET}@127.0.0.1:{unused_port()}/s3", code=1))
    assert "cannot be used: Could not connect" in problem.text
    assert problem.do == "Check the address, and that this machine may reach it"


def test_an_endpoint_that_never_answers(cluster: Cluster) -> None:
    cluster.proxy.fail_with(Fault.HANG)
    (problem,) = problems(findings("--endpoint", cluster.endpoint_url, code=1))
    assert "Read timeout" in problem.text


def test_a_look_up_that_never_ends_does_not_hold_the_doctor() -> None:
    code = (
        "import socket, sys, threading; from aistore_patch.program import doctor; doctor.SECONDS = 1\n"
        "socket.getaddrinfo = lambda *_, **__: threading.Event().wait()\n"
        "from aistore_patch.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    done = run(sys.executable, "-c", code, "doctor", "--endpoint", "http://gateway.example:8080/s3", cwd=ROOT)
    assert done.returncode == 1
    assert "could not be looked at to the end within 1 s" in done.stdout


def test_a_mistake_in_the_environment_is_told_where_the_hook_is_installed(environment: Path, cluster: Cluster) -> None:
    def command(*words: str, **variables: str) -> Finished[str]:
        return run(environment, "-m", "aistore_patch", *words, cwd=environment.parent, **variables)

    assert command("install").returncode == 0
    try:
        assert "every program of this environment is patched" in command("doctor").stdout
        done = command("doctor", "--endpoint", cluster.endpoint_url, AISTORE_PATCH_X="1")
        assert (done.returncode, done.stderr) == (1, "")
        assert "problem policy: AISTORE_PATCH_X is not a setting" in done.stdout
        assert command("doctor", "--endpoint", cluster.endpoint_url).returncode == 0
        hook = next(environment.parent.parent.rglob("_aistore_patch_hook.py"))
        hook.write_text(hook.read_text() + "# of another version\n")
        assert "problem hook: " in command("doctor").stdout
    finally:
        assert command("uninstall").returncode == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--bucket", "b"], "add --endpoint"),
        (["--write"], "add --endpoint"),
        (["--endpoint", "http://127.0.0.1:1/s3", "--write"], "name it with --bucket"),
        (["--endpoint", "gateway:8080"], "http://GATEWAY:PORT/s3 is expected"),
        (["--endpoint", "http://gateway:99999/s3"], "http://GATEWAY:PORT/s3 is expected"),
        (["--endpoint", f"http://gateway/s3?token={SECRET}"], "http://GATEWAY:PORT/s3 is expected"),
        (["--what"], "unrecognized arguments"),
    ],
)
def test_usage(words: list[str], says: str) -> None:
    done = doctor(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_findings_that_come_in_time_are_all_told() -> None:
    one, two, last = (Finding(OK, "x", text) for text in ("one", "two", "last"))
    assert list(within(60, [one, two], last)) == [one, two]


def test_findings_that_do_not_come_are_not_waited_for() -> None:
    one, last = Finding(OK, "x", "one"), Finding(PROBLEM, "x", "last")
    never = threading.Event()

    def slow() -> Iterator[Finding]:
        yield one
        never.wait()

    assert list(within(0.01, slow(), last))[-1] == last
    never.set()


def test_a_fault_of_the_doctor_is_a_finding() -> None:
    def faulty() -> Iterator[Finding]:
        raise RuntimeError("broken")
        yield

    (found,) = within(60, faulty(), Finding(OK, "x", "last"))
    assert (found.level, found.text) == (PROBLEM, "could not go on: RuntimeError: broken")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('connect to "http://u:p@h:1/k?a=b&c" (of http://h?x)', 'connect to "http://...@h:1/k?..." (of http://h?...)'),
        ("two\nlines\x1b[1m é", "two lines\\x1b[1m \\xe9"),
        ("it's", "it's"),
        ("x" * 500, "x" * 400 + "..."),
    ],
)
def test_what_others_say_is_shown_in_a_line_without_queries(text: str, shown: str) -> None:
    assert plain(text) == shown
