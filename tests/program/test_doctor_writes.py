"""`python -m aistore_patch doctor --write`: what a cluster honours, compared with the guard's table."""

from __future__ import annotations

import http.server
import signal
import subprocess
import sys
import threading
from typing import Iterator

import pytest

from aistore_patch import guard
from aistore_patch.program.doctor.probes import NOT_TRIED, PROBES
from tests.cluster import Cluster, Fault, Request, Response
from tests.cluster.s3.call import call_of
from tests.cluster.s3.errors import S3Error

from .conftest import BUCKET, ROOT
from .test_doctor import findings, only, problems


@pytest.fixture
def cluster(cluster: Cluster) -> Iterator[Cluster]:
    """With an object of somebody else's, which stays; and nothing of the doctor's is left behind."""
    cluster.store.put(BUCKET, "somebodys", b"own")
    yield cluster
    assert [entry for entry in cluster.store.keys(BUCKET) if entry.startswith("aistore-patch")] == []
    assert cluster.store[BUCKET, "somebodys"].data == b"own"
    assert not cluster.store.uploads


def arguments(cluster: Cluster) -> tuple[str, ...]:
    return "--endpoint", cluster.endpoint_url, "--bucket", BUCKET, "--write"


def test_every_refusal_of_the_guard_is_tried_or_said_not_to_be() -> None:
    refused = {*guard.MISREAD, "VersionId", "PartNumber", *guard.KEYS}
    refused |= {name for ignored in guard.IGNORED for name in ignored.names.values()}
    tried = {probe.name for probe in PROBES}
    assert tried | set(NOT_TRIED) == refused
    assert not tried & set(NOT_TRIED)


def test_a_cluster_that_ignores_s3_is_as_the_patch_expects(cluster: Cluster) -> None:
    found = [one for one in findings(*arguments(cluster), code=0) if one.about.startswith("honoured.")]
    assert {one.about for one in found} > {
        "honoured.CopySourceIfMatch",
        "honoured.UncleanKey",
        "honoured.PutObjectTagging",
    }
    unlike_a_real_one = "honoured.LongKey"  # the simulated one stores it, whatever the length
    assert {one.about for one in found if one.level != "ok"} == {unlike_a_real_one}


def test_a_cluster_that_honours_more_is_told_how_to_say_so(cluster: Cluster) -> None:
    cluster.honours = "s3"
    found = findings(*arguments(cluster), code=0)
    (told,) = (one for one in found if "AISTORE_PATCH_HONOURED=" in one.do)
    names = told.do.partition("AISTORE_PATCH_HONOURED=")[2].split(",")
    assert {"CopySourceIfMatch", "UncleanKey", "QuestionMarkKey", "UploadPartCopy"} <= set(names)
    assert "VersionId" not in names
    assert all(problem.level != "problem" for problem in found)


def test_one_target_does_not_show_that_keys_are_placed_rightly() -> None:
    with Cluster(targets=1, honours="s3") as cluster:
        cluster.store.create_bucket(BUCKET)
        (told,) = (one for one in findings(*arguments(cluster), code=0) if "AISTORE_PATCH_HONOURED=" in one.do)
        assert "UncleanKey" in told.do
        assert "QuestionMarkKey" not in told.do


def test_a_gateway_that_answers_itself_is_not_guarded_and_says_so(cluster: Cluster) -> None:
    def as_a_target(request: Request, _: object) -> Response:
        try:
            return cluster.proxy.service.at_target(call_of(request))
        except S3Error as error:
            return error.response()

    cluster.proxy.fail_with(Fault(as_a_target), when=lambda request: b"doctor" in request.path)
    found = findings(*arguments(cluster), code=0)
    told = only(found, "honoured.PutObjectTagging")
    assert (told.level, "without a redirect the patch cannot refuse it" in told.text) == ("warning", True)
    assert only(found, "honoured.UploadPartCopy").text == "UploadPartCopy is refused by the cluster"
    assert not any("AISTORE_PATCH_HONOURED=" in one.do for one in found)


def test_what_the_policy_lets_pass_though_it_is_not_honoured_is_a_problem(cluster: Cluster) -> None:
    found = findings(*arguments(cluster), code=1, AISTORE_PATCH_HONOURED="PutObjectTagging,UploadPartCopy")
    (problem,) = problems(found)
    assert problem.about == "honoured.PutObjectTagging"
    assert problem.do == "Take PutObjectTagging out of AISTORE_PATCH_HONOURED"
    assert only(found, "honoured.UploadPartCopy").level == "ok"


def is_of_the_lab(request: Request) -> bool:
    return request.method in ("PUT", "POST")


@pytest.mark.parametrize("after", [0, 3, 30])
def test_a_cluster_that_fails_on_the_way_is_cleaned_up_as_soon_as_it_answers(cluster: Cluster, after: int) -> None:
    cluster.proxy.fail_with(Fault.RESET, after=after, times=4, when=is_of_the_lab)
    found = findings(*arguments(cluster), code=1 if after < 9 else 0)
    assert only(found, "clean-up").level == "ok"


def test_what_cannot_be_removed_is_named() -> None:
    with Cluster() as cluster:
        cluster.store.create_bucket(BUCKET)
        for target in cluster.targets:
            target.fail_with(Fault.ACCESS_DENIED, when=lambda request: request.method == "DELETE")
        problem = only(findings(*arguments(cluster), code=1), "clean-up")
        left = list(cluster.store.keys(BUCKET))
        assert left
        assert left[0] in problem.text
        assert left[0].startswith(problem.do.split()[4])


def test_a_cluster_that_dies_on_the_way_ends_it(cluster: Cluster) -> None:
    cluster.proxy.fail_with(Fault.RESET, after=70, times=None)
    found = findings(*arguments(cluster), code=1)
    cluster.heal()
    assert any("a plain call fails" in problem.text for problem in problems(found))
    assert only(found, "clean-up").level == "problem"
    for key in list(cluster.store.keys(BUCKET)):
        if key.startswith("aistore-patch-doctor/"):
            cluster.store.delete(BUCKET, key)
    cluster.store.uploads.clear()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_an_interrupted_doctor_removes_what_it_wrote(cluster: Cluster, sent: int, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "aistore_patch", "doctor", *arguments(cluster)],
        cwd=str(ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "honoured.CopySourceIfMatch" in line:
            break
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in errors


class NoAIStore(http.server.BaseHTTPRequestHandler):
    """An S3 that answers for itself."""

    asked: list[str]

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - named by http.server

    def _answer(self) -> None:
        self.asked.append(self.command)
        self.send_response(404 if "doctor" in self.path else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
        pass


def test_nothing_is_written_to_what_is_no_aistore() -> None:
    NoAIStore.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), NoAIStore) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        found = findings("--endpoint", url, "--bucket", BUCKET, "--write", code=0)
        server.shutdown()
        thread.join()
    assert set(NoAIStore.asked) == {"GET", "HEAD"}
    assert only(found, "honoured").text == "nothing was written, since this is no AIStore"
    assert "changes nothing here" in only(found, "redirects").text


def test_nothing_is_written_where_there_are_problems(cluster: Cluster) -> None:
    cluster.targets[0].kill()
    found = findings(*arguments(cluster), code=1)
    assert only(found, "honoured").text == "nothing was written, since there are problems above"
    assert not any(entry.method in ("PUT", "POST", "DELETE") for entry in cluster.ledger.requests())
