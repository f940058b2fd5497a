"""How each line of the guard's table is tried: what S3 would do that a cluster that ignores it would not."""

from __future__ import annotations

import datetime
from typing import Any, Callable, NamedTuple

from botocore.exceptions import ClientError

from .lab import Lab

PRECONDITION_FAILED = 412

TRIES = 16
"""How often a key has to go well: with few targets, one that is put on the wrong one is on the right one by chance."""


class Probe(NamedTuple):
    """One attempt.

    Args:
        name: what the guard calls it, which lifts its refusal.
        operation: the operation that is tried.
        parameter: the parameter that botocore must know for it; None: the operation is enough.
        is_honoured: whether the cluster does what S3 does. An error of the cluster means that it refuses.
    """

    name: str
    operation: str
    parameter: str | None
    is_honoured: Callable[[Lab], bool]


def _fails(lab: Lab, key: str, call: Callable[[], Any]) -> bool:
    """Whether a call whose condition does not hold is refused because of that, and leaves an object as it was."""
    try:
        call()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != PRECONDITION_FAILED:
            raise
        return lab.read(key) == lab.body
    return False


_WRONG = '"00000000000000000000000000000000"'
_LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
_FALSE: dict[str, Any] = {
    "IfMatch": _WRONG,
    "IfNoneMatch": "*",
    "IfMatchSize": 1,
    "IfMatchLastModifiedTime": _LONG_AGO,
    "IfMatchInitiatedTime": _LONG_AGO,
    "CopySourceIfMatch": _WRONG,
    "CopySourceIfUnmodifiedSince": _LONG_AGO,
}
"""Conditions that hold for no object of the lab."""


def _condition(operation: str, name: str) -> Probe:
    condition = {name: _FALSE[name]}

    def is_honoured(lab: Lab) -> bool:
        key = lab.put("condition")
        if operation == "CompleteMultipartUpload":
            return _fails(lab, key, lambda: lab.put_in_parts("", over=key, **condition))
        if operation == "AbortMultipartUpload":
            upload = lab.start_parts(key)
            return _fails(lab, key, lambda: lab.call(operation, **upload, **condition))
        parameters: dict[str, Any] = {"Key": key, **condition}
        if operation == "PutObject":
            parameters["Body"] = b"other"
        if operation == "CopyObject":
            source = key if name.startswith("CopySource") else lab.put("source")
            parameters["CopySource"] = {"Bucket": lab.bucket, "Key": source}
            if source == key:
                parameters["Key"] = lab.name("copy")
        return _fails(lab, key, lambda: lab.call(operation, **parameters))

    return Probe(name, operation, name, is_honoured)


def _copy_if_none_match(lab: Lab) -> bool:
    key = lab.put("source")
    etag = lab.call("HeadObject", Key=key).get("ETag") or "*"
    return _fails(lab, key, lambda: lab.copy(key, "copy", CopySourceIfNoneMatch=etag))


def _append(lab: Lab) -> bool:
    key = lab.put("append")
    lab.call("PutObject", Key=key, Body=b"+", WriteOffsetBytes=len(lab.body))
    return lab.read(key) == lab.body + b"+"


def _encrypt(lab: Lab) -> bool:
    key = lab.put("encrypted", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32)
    try:
        lab.read(key)
    except ClientError:
        return True  # nobody reads it without the key
    return False


def _version(operation: str) -> Probe:
    """An object of which there is no such version; a cluster that has versions says so when it writes one."""

    def is_honoured(lab: Lab) -> bool:
        key = lab.put("version")
        version: str | None = lab.call("HeadObject", Key=key).get("VersionId")
        wrong = "00000000000000000000000000000000"
        if operation == "CopyObject":
            source = {"Bucket": lab.bucket, "Key": key, "VersionId": wrong}
            lab.call(operation, Key=lab.name("copy"), CopySource=source)
            return False
        if operation == "DeleteObjects":
            lab.call(operation, Delete={"Objects": [{"Key": key, "VersionId": wrong}]})
            return version is not None and lab.read(key) == lab.body
        lab.call(operation, Key=key, VersionId=wrong)
        return operation == "DeleteObject" and version is not None and lab.read(key) == lab.body

    return Probe("VersionId", operation, None, is_honoured)


def _part_of_head(lab: Lab) -> bool:
    key = lab.put_in_parts("parts")
    return bool(lab.call("HeadObject", Key=key, PartNumber=1).get("PartsCount") == 1)


def _keeps(operation: str, **parameters: Any) -> Probe:
    """A call that is about an object, and has to leave its bytes alone."""

    def is_honoured(lab: Lab) -> bool:
        key = lab.put("kept")
        lab.call(operation, Key=key, **parameters)
        return lab.read(key) == lab.body

    return Probe(operation, operation, None, is_honoured)


def _tag(lab: Lab) -> bool:
    key, tags = lab.put("tagged"), [{"Key": "given", "Value": "1"}]
    lab.call("PutObjectTagging", Key=key, Tagging={"TagSet": tags})
    if lab.read(key) != lab.body:
        return False
    with lab.honouring("GetObjectTagging"):
        return bool(lab.call("GetObjectTagging", Key=key)["TagSet"] == tags)


def _says(operation: str, is_right: Callable[[Any, Lab], bool], **parameters: Any) -> Probe:
    """A call that asks something about an object."""

    def is_honoured(lab: Lab) -> bool:
        return is_right(lab.call(operation, Key=lab.put("asked"), **parameters), lab)

    return Probe(operation, operation, None, is_honoured)


def _rename(lab: Lab) -> bool:
    old, new = lab.put("old"), lab.name("new")
    lab.call("RenameObject", Key=new, RenameSource=f"{lab.bucket}/{old}")
    return lab.read(new) == lab.body and lab.read(old) is None


def _copy_of_part(lab: Lab) -> bool:
    source = {"Bucket": lab.bucket, "Key": lab.put("source")}
    upload = lab.start_parts(lab.name("parts"))
    etag = lab.call("UploadPartCopy", PartNumber=1, CopySource=source, **upload)["CopyPartResult"]["ETag"]
    lab.call("CompleteMultipartUpload", MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}, **upload)
    return lab.read(str(upload["Key"])) == lab.body


def _key(kind: str, operation: str, name: str) -> Probe:
    """A key that a list has to have as it was written, on whatever target it lies."""

    def write(lab: Lab) -> str:
        return lab.put(name) if operation == "PutObject" else lab.copy(lab.put("source"), name)

    def is_honoured(lab: Lab) -> bool:
        refusal = None
        for _ in range(TRIES):
            try:
                key = write(lab)
            except ClientError as error:
                refusal = error
                continue
            if key not in lab.listed():
                return False
        if refusal is not None:
            raise refusal
        return True

    return Probe(kind, operation, None, is_honoured)


PROBES = (
    _condition("PutObject", "IfNoneMatch"),
    _condition("PutObject", "IfMatch"),
    _condition("CompleteMultipartUpload", "IfNoneMatch"),
    _condition("CompleteMultipartUpload", "IfMatch"),
    _condition("CopyObject", "IfNoneMatch"),
    _condition("CopyObject", "IfMatch"),
    _condition("DeleteObject", "IfMatch"),
    _condition("DeleteObject", "IfMatchSize"),
    _condition("DeleteObject", "IfMatchLastModifiedTime"),
    _condition("AbortMultipartUpload", "IfMatchInitiatedTime"),
    _condition("CopyObject", "CopySourceIfMatch"),
    _condition("CopyObject", "CopySourceIfUnmodifiedSince"),
    Probe("CopySourceIfNoneMatch", "CopyObject", "CopySourceIfNoneMatch", _copy_if_none_match),
    Probe("WriteOffsetBytes", "PutObject", "WriteOffsetBytes", _append),
    Probe("SSECustomerKey", "PutObject", "SSECustomerKey", _encrypt),
    *(_version(operation) for operation in ("GetObject", "HeadObject", "DeleteObject", "DeleteObjects", "CopyObject")),
    Probe("PartNumber", "HeadObject", "PartNumber", _part_of_head),
    _keeps("PutObjectAcl", ACL="private"),
    Probe("PutObjectTagging", "PutObjectTagging", None, _tag),
    _keeps("PutObjectLegalHold", LegalHold={"Status": "OFF"}),
    _keeps("DeleteObjectTagging"),
    Probe("RenameObject", "RenameObject", None, _rename),
    Probe("UploadPartCopy", "UploadPartCopy", None, _copy_of_part),
    _says("GetObjectAcl", lambda answer, _: bool(answer.get("Grants"))),
    _says("GetObjectTagging", lambda answer, _: answer.get("TagSet") == []),
    _says(
        "GetObjectAttributes",
        lambda answer, lab: bool(answer.get("ObjectSize") == len(lab.body)),
        ObjectAttributes=["ObjectSize"],
    ),
    _says("GetObjectLegalHold", lambda answer, _: bool(answer.get("LegalHold"))),
    _says("GetObjectRetention", lambda answer, _: bool(answer.get("Retention"))),
    _says("GetObjectTorrent", lambda answer, lab: answer["Body"].read() != lab.body),
    _key("UncleanKey", "PutObject", "a//b"),
    _key("QuestionMarkKey", "PutObject", "a?b"),
    _key("ControlCharacterKey", "PutObject", "a\nb"),
    _key("PercentKey", "CopyObject", "a%41"),
    _key("LongKey", "CopyObject", "l" * 256 + "/a"),
)

NOT_TRIED = {
    "CopySourceIfModifiedSince": "S3 ignores a time to come, and any other holds",
    "IfModifiedSince": "no operation of S3 that writes has it",
    "IfUnmodifiedSince": "no operation of S3 that writes has it",
    "ObjectLockMode": "the object could not be removed again",
    "ObjectLockRetainUntilDate": "the object could not be removed again",
    "ObjectLockLegalHoldStatus": "the object could not be removed again",
    "ObjectLockEventHold": "the object could not be removed again",
    "ObjectLockEventHoldDurationDays": "the object could not be removed again",
    "ObjectLockEventHoldDurationYears": "the object could not be removed again",
    "PutObjectRetention": "the object could not be removed again",
    "PutObjectAnnotation": "it cannot be told from its answer whether it is honoured",
    "DeleteObjectAnnotation": "it cannot be told from its answer whether it is honoured",
    "GetObjectAnnotation": "it cannot be told from its answer whether it is honoured",
    "ListObjectAnnotations": "it cannot be told from its answer whether it is honoured",
    "UpdateObjectEncryption": "it cannot be told from its answer whether it is honoured",
    "RestoreObject": "it cannot be told from its answer whether it is honoured",
    "SelectObjectContent": "it cannot be told from its answer whether it is honoured",
}
"""What the guard refuses and nothing tries, and why."""
