"""What the guard lets pass, and what it refuses: pure, on plain values."""

from __future__ import annotations

import posixpath
from typing import Any

import botocore
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from aistore_patch import guard


def call(operation: str = "PutObject", method: str = "PUT", key: bytes = b"k", **more: Any) -> guard.Call:
    return guard.Call(operation, method, more.pop("headers", []), more.pop("query", []), key, **more)


HONOURED = """
    GetObject HeadObject PutObject DeleteObject CopyObject
    CreateMultipartUpload UploadPart CompleteMultipartUpload AbortMultipartUpload ListParts ListMultipartUploads
    ListBuckets ListObjects ListObjectsV2 HeadBucket CreateBucket DeleteBucket DeleteObjects
    GetBucketVersioning PutBucketVersioning
    """.split()  # noqa: SIM905 - as a list of words it can be read
METHODS = {"Get": "GET", "Head": "HEAD", "List": "GET", "Put": "PUT", "Copy": "PUT", "Delete": "DELETE"}


def test_what_is_honoured_is_this_and_no_more() -> None:
    assert sorted(guard.HONOURED) == sorted(HONOURED)


@pytest.mark.parametrize("operation", HONOURED)
def test_what_is_honoured_passes(operation: str) -> None:
    method = {"Abort": "DELETE", "Complete": "POST"}.get(operation[:5]) or METHODS.get(operation[:3], "PUT")
    guard.check(call(operation, method, body=b""))


@pytest.mark.parametrize("operation", [*guard.MISREAD, "FrobnicateObject"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
def test_every_other_operation_is_refused_until_it_is_named(operation: str, method: str) -> None:
    with pytest.raises(guard.NotHonoured) as caught:
        guard.check(call(operation, method))
    said = str(caught.value)
    assert said.startswith(f"AIStore does not honour {operation}: ")
    assert "not forwarded" in said
    assert f"honoured=['{operation}']" in said
    assert f"AISTORE_PATCH_HONOURED={operation}" in said
    guard.check(call(operation, method), frozenset([operation]))


@pytest.mark.parametrize(
    ("method", "taken_for"),
    [("GET", "for a GetObject"), ("PUT", "for a PutObject"), ("DELETE", "for a DeleteObject"), ("PATCH", "not known")],
)
def test_what_becomes_of_an_unknown_operation_is_told_by_its_method(method: str, taken_for: str) -> None:
    with pytest.raises(guard.NotHonoured, match=taken_for):
        guard.check(call("FrobnicateObject", method))
    with pytest.raises(guard.NotHonoured, match="would become the XML"):  # what is known of one goes first
        guard.check(call("PutObjectTagging", method))


NEWEST = Version("1.44.8")
CUSTOMERS_KEY = {"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"}


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    """What the installed botocore knows of S3: operations by name."""
    if Version(botocore.__version__) > NEWEST:  # of a newer one the matrix says what nobody has classified yet
        pytest.skip("newer than what was classified")
    model = botocore.session.Session().get_service_model("s3")
    return {name: model.operation_model(name) for name in model.operation_names}


def wire_names(operation: Any) -> dict[str, str]:
    members = operation.input_shape.members if operation.input_shape else {}
    return {name: shape.serialization.get("name", name) for name, shape in members.items()}


def test_all_that_this_botocore_does_to_objects_is_classified(operations: dict[str, Any]) -> None:
    unknown: list[str] = []
    for name, operation in operations.items():
        if "{Key+}" in operation.http["requestUri"]:
            unknown += guard.unclassified(name, operation.http["method"], wire_names(operation))
    assert unknown == []


def test_parameters_that_change_what_a_write_means_are_refused_as_boto3_calls_them(operations: dict[str, Any]) -> None:
    refused = set()
    for name in HONOURED:
        method = operations[name].http["method"]
        for parameter, header in wire_names(operations[name]).items() if method not in ("GET", "HEAD") else ():
            try:
                guard.check(call(name, method, headers=[header.lower()], body=b""))
            except guard.NotHonoured as why:
                known_as = "SSECustomerKey" if parameter in CUSTOMERS_KEY else parameter
                assert f"does not honour {known_as} with {name}: " in str(why)  # noqa: PT017
                refused.add(parameter)
    assert refused >= {"CopySourceIfMatch", "CopySourceIfNoneMatch", "ObjectLockMode", *CUSTOMERS_KEY}


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("if-match", "IfMatch"),
        ("if-none-match", "IfNoneMatch"),
        ("if-modified-since", "IfModifiedSince"),
        ("if-unmodified-since", "IfUnmodifiedSince"),
        ("x-amz-write-offset-bytes", "WriteOffsetBytes"),
        ("x-amz-object-lock-new", "x-amz-object-lock-new"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_parameters_that_change_what_a_write_means_are_refused_by_name(header: str, name: str, method: str) -> None:
    asked = call(method=method, headers=["user-agent", header])
    with pytest.raises(guard.NotHonoured, match=f"AIStore does not honour {name} with PutObject: "):
        guard.check(asked)
    guard.check(asked, frozenset([name]))


PARAMETERS = [(header, name) for row in guard.IGNORED for header, name in row.names.items()]


@pytest.mark.parametrize("header", [header for header, _ in PARAMETERS])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_with_them_passes(header: str, method: str) -> None:
    guard.check(call("GetObject", method, headers=[header]))


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject", "DeleteObject"])
def test_a_version_is_refused_whatever_is_done_with_it(operation: str) -> None:
    asked = call(operation, operation[:-6].upper(), query=["versionid"])
    with pytest.raises(guard.NotHonoured, match="VersionId"):
        guard.check(asked)
    guard.check(asked, frozenset(["VersionId"]))


def test_a_version_of_the_source_of_a_copy_is_refused() -> None:
    asked = call("CopyObject", copy_source="b/k?versionId=1")
    with pytest.raises(guard.NotHonoured, match="VersionId with CopyObject"):
        guard.check(asked)
    guard.check(asked, frozenset(["VersionId"]))


def test_a_version_that_a_batch_deletes_is_refused() -> None:
    batch = b"<Delete><Object><Key>VersionId</Key></Object></Delete>"
    guard.check(call("DeleteObjects", "POST", b"", body=batch))
    for body in (batch.replace(b"</Object>", b"<VersionId>1</VersionId></Object>"), object()):
        with pytest.raises(guard.NotHonoured, match="VersionId with DeleteObjects"):
            guard.check(call("DeleteObjects", "POST", b"", body=body))


def test_a_part_is_honoured_by_get_alone() -> None:
    guard.check(call("GetObject", "GET", query=["partnumber"]))
    guard.check(call("UploadPart", "PUT", query=["partnumber", "uploadid"]))
    with pytest.raises(guard.NotHonoured, match="PartNumber with HeadObject"):
        guard.check(call("HeadObject", "HEAD", query=["partnumber"]))


UNCLEAN = [b"a//b", b"a/./b", b"a/../b", b"/lead", b"e/", b"/", b".", b"..", b"../x", b"a/.."]


@pytest.mark.parametrize("key", UNCLEAN)
def test_an_unclean_key_is_not_there_to_be_read_and_refused_to_be_written(key: bytes) -> None:
    for method in ("GET", "HEAD"):
        with pytest.raises(guard.NoSuchKey):
            guard.check(call("GetObject", method, key))
    for method in ("PUT", "POST", "DELETE"):
        with pytest.raises(guard.NotHonoured, match="the key '"):
            guard.check(call(method=method, key=key))
        guard.check(call(method=method, key=key), frozenset(["UncleanKey"]))


@pytest.mark.parametrize("source", ["b/a//b", "/b//lead", "b/e/", "b/a%2F%2Fb", "/b/a//b"])
def test_a_copy_of_an_unclean_key_is_a_copy_of_nothing(source: str) -> None:
    with pytest.raises(guard.NoSuchKey, match=r"return '(a/b|lead|e)' instead"):
        guard.check(call("CopyObject", copy_source=source))
    guard.check(call("CopyObject", copy_source=source), frozenset(["UncleanKey"]))


@pytest.mark.parametrize("source", ["b/k", "/b/k", "b/a/b", "arn:aws:s3:::b"])
def test_other_copies_pass(source: str) -> None:
    guard.check(call("CopyObject", copy_source=source))


def test_a_key_with_a_question_mark_is_read_and_deleted_but_not_written() -> None:
    for operation, method in (("GetObject", "GET"), ("HeadObject", "HEAD"), ("DeleteObject", "DELETE")):
        guard.check(call(operation, method, b"x?y"))
    for method in ("PUT", "POST"):
        with pytest.raises(guard.NotHonoured, match=r"'x\?y'.*without '\?'"):
            guard.check(call(method=method, key=b"x?y"))
        guard.check(call(method=method, key=b"x?y"), frozenset(["QuestionMarkKey"]))


@pytest.mark.parametrize("key", [b"a\nb", b"\t", b"a\x00", b"\x7f"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_a_key_with_control_characters_is_called_so(key: bytes, method: str) -> None:
    with pytest.raises(guard.NotHonoured, match="control characters"):
        guard.check(call("GetObject", method, key))


@pytest.mark.parametrize(("key", "kind"), [(b"a%41", "PercentKey"), (b"100%", "PercentKey"), (b"a" * 256, "LongKey")])
def test_a_copy_is_refused_to_keys_that_only_an_upload_reaches(key: bytes, kind: str) -> None:
    guard.check(call("PutObject", key=key))
    with pytest.raises(guard.NotHonoured, match=kind):
        guard.check(call("CopyObject", key=key, copy_source="b/k"))
    guard.check(call("CopyObject", key=key, copy_source="b/k"), frozenset([kind]))
    guard.check(call("CopyObject", key=b"a" * 255 + b"/" + b"b" * 255, copy_source="b/k"))


def test_a_refusal_shows_a_key_shortly_and_in_ascii() -> None:
    with pytest.raises(guard.NotHonoured) as caught:
        guard.check(call(key="é\n".encode() + b"\xff" * 5000))
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize(
    ("key", "shown", "cleaned"),
    [
        (b"a//./b/../\xc3\xa9/", r"a//./b/../\xe9/", r"a/\xe9"),
        (b"../x", "../x", "x"),
        (b"a/b/../..//" + b"x" * 189, "a/b/../..//" + "x" * 189, "x" * 189),
        (b"a/b/../..//" + b"x" * 190, "a/b/../..//" + "x" * 189 + "...", "x" * 190),
        (b"./" + b"x" * 201, "./" + "x" * 198 + "...", "x" * 200 + "..."),
    ],
)
def test_a_refusal_names_the_key_and_what_would_become_of_it(key: bytes, shown: str, cleaned: str) -> None:
    with pytest.raises(guard.NotHonoured) as caught:
        guard.check(call(key=key))
    assert f"cannot take the key '{shown}' with PutObject: " in str(caught.value)
    assert f"the object '{cleaned}'. " in str(caught.value)


def test_all_that_is_wrong_with_a_key_must_be_honoured() -> None:
    asked = call("CopyObject", key=b"a//%", copy_source="b/k")
    with pytest.raises(guard.NotHonoured, match="PercentKey"):
        guard.check(asked, frozenset(["UncleanKey"]))
    guard.check(asked, frozenset(["UncleanKey", "PercentKey"]))
    with pytest.raises(guard.NotHonoured, match="LongKey"):
        guard.check(call("CopyObject", key=b"short/" + b"a" * 256, copy_source="b/k"))


def test_a_call_without_a_key_has_none_to_be_unclean() -> None:
    guard.check(call("ListObjectsV2", "GET", b""))


@given(st.lists(st.sampled_from([b"a", b"b", b"", b".", b".."]), min_size=1).map(b"/".join))
def test_a_key_passes_if_and_only_if_cleaning_leaves_it_alone(key: bytes) -> None:
    """Go's path.Clean, for a path below a bucket, is posixpath.normpath."""
    cleaned = posixpath.normpath(b"/bucket/" + key)[len(b"/bucket/") :]
    stays = posixpath.normpath(b"/bucket/" + key).startswith(b"/bucket/") and cleaned == key
    try:
        guard.check(call(key=key))
    except guard.NotHonoured as why:
        assert (stays, "UncleanKey" in str(why)) == (False, True)  # noqa: PT017 - both outcomes are right
    else:
        assert stays or not key


@given(st.text(), st.text(), st.lists(st.text()), st.lists(st.text()), st.binary(), st.text())
def test_whatever_is_asked_the_guard_has_an_answer(
    operation: str, method: str, headers: list[str], query: list[str], key: bytes, source: str
) -> None:
    try:
        guard.check(guard.Call(operation, method, headers, query, key, source))
    except (guard.NotHonoured, guard.NoSuchKey) as why:
        assert str(why)  # noqa: PT017 - both outcomes are right
    else:
        assert operation in guard.HONOURED


def test_no_operation_is_both_honoured_and_misread() -> None:
    assert not guard.HONOURED.keys() & guard.MISREAD.keys()
    assert all(guard.HONOURED.values())
    rows: list[Any] = [*guard.MISREAD.values(), *guard.IGNORED, *guard.KEYS.values()]
    assert all(row.known for row in rows)


MEANINGFUL = """
    abac accelerate acl analytics annotation attributes bucket-region continuation-token cors delete delimiter
    encoding-type encryption fetch-owner id intelligent-tiering inventory key-marker legal-hold lifecycle list-type
    location logging marker metrics notification object-lock ownershipcontrols part-number-marker partnumber policy
    policystatus prefix publicaccessblock renameobject replication requestpayment restore retention select select-type
    session start-after storageclass tagging torrent upload-id-marker uploadid uploads version-id-marker versionid
    versioning versions website

    append_handle append_type archmime archmode archpath archregx etl_args etl_name frc gfn latest-ver namespace
    original_url owt pid presence props provider set-new-custom skip_vc sln synchronize utm uuid what

    annotations max-keys metadatatable response-expires x-amz-anything
    """.split()  # noqa: SIM905 - as a list of words it can be read


def test_names_in_a_query_that_mean_something_are_known() -> None:
    assert [name for name in MEANINGFUL if not guard.has_meaning(name)] == []
    assert not guard.has_meaning("y")


def test_what_nobody_has_classified_is_named() -> None:
    known = {"Body": "Body", "IfMatch": "If-Match", "VersionId": "versionId", "ObjectLockNew": "x-amz-object-lock-new"}
    assert guard.unclassified("PutObject", "PUT", known) == []
    assert guard.unclassified("PutObject", "PUT", {**known, "Fold": "x-amz-fold"}) == ["PutObject.Fold"]
    assert guard.unclassified("GetObject", "GET", {"Fold": "x-amz-fold"}) == []
    assert guard.unclassified("PutObjectAcl", "PUT", {"Fold": "x-amz-fold"}) == []
    assert guard.unclassified("FoldObject", "PUT", {}) == ["FoldObject"]
