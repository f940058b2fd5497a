"""What AIStore would make of a request: is it to be followed to a target, or refused?

AIStore's targets look at the method of an S3 request, at very few of its parameters, and at the key as a file system
would: `PutObjectTagging` is a PUT, so the object becomes the XML of its tags, and the answer is 200. Nobody reaches
those targets without following redirects, so whoever follows them has to know.

Pure: names and bytes in, a verdict out. What is known is data, and each line of it says how it is known:

- measured: on AIStore's source of August 2026, one gateway and three targets, in `ais://` buckets;
- read: in that source, at the place named. Buckets with a cloud behind them were not measured.
"""

from __future__ import annotations

import re
from typing import Any, Collection, Iterable, Mapping, NamedTuple
from urllib.parse import unquote_to_bytes


class NotHonoured(ValueError):
    """AIStore would do something other than what was asked; the message says what, and the way out."""


class NoSuchKey(ValueError):
    """There is no such object, since AIStore cannot hold one of this name: it would answer with another."""


HONOURED = {
    "GetObject": "measured",
    "HeadObject": "measured",
    "PutObject": "measured",
    "DeleteObject": "measured",
    "CopyObject": "measured",
    "CreateMultipartUpload": "measured",
    "UploadPart": "measured",
    "CompleteMultipartUpload": "measured",
    "AbortMultipartUpload": "measured",
    "ListParts": "measured",
    # Without a key. A gateway answers these itself; what redirects them only adds a slash (Go's ServeMux, proxies).
    "ListBuckets": "read: ais/prxs3.go bckNamesFromBMD",
    "ListObjects": "read: ais/prxs3.go listObjectsS3",
    "ListObjectsV2": "measured",
    "ListMultipartUploads": "measured; a gateway of one target redirects it",
    "HeadBucket": "measured",
    "CreateBucket": "measured",
    "DeleteBucket": "measured; it deletes a bucket that is not empty too, with or without a redirect",
    "DeleteObjects": "measured, but for VersionId",
    "GetBucketVersioning": "read: ais/prxs3.go getBckVersioningS3",
    "PutBucketVersioning": "read: ais/prxs3.go putBckVersioningS3",
}
"""The operations that AIStore honours. Every other one is refused, and so is what a future botocore brings."""


class Misread(NamedTuple):
    """What AIStore does in place of an operation, the way out, and how that is known."""

    does: str
    instead: str = "Do not make this call"
    known: str = "measured"


_XML = "the object would become the XML of the request"
_ITS_BYTES = "the object's own bytes would be taken for the answer"
_GONE = "the object would be deleted"
_REFUSES = "it answers that it cannot"

MISREAD = {
    "PutObjectAcl": Misread("the object would be emptied"),
    "PutObjectTagging": Misread(_XML, "Keep tags elsewhere, or in the key"),
    "PutObjectLegalHold": Misread(_XML),
    "PutObjectRetention": Misread(_XML),
    "PutObjectAnnotation": Misread("the object would become the annotation"),
    "UpdateObjectEncryption": Misread(_XML),
    "RenameObject": Misread(
        "nothing would be renamed, and an object of the new name would be emptied",
        "Copy the object and delete it under its old name",
    ),
    "UploadPartCopy": Misread(_REFUSES, "Copy with one CopyObject, which takes objects of any size, or upload again"),
    "DeleteObjectTagging": Misread(_GONE),
    "DeleteObjectAnnotation": Misread(_GONE),
    "GetObjectTorrent": Misread(_ITS_BYTES),
    "GetObjectAcl": Misread(_REFUSES),
    "GetObjectTagging": Misread(_ITS_BYTES, "Keep tags elsewhere, or in the key"),
    "GetObjectAttributes": Misread(_ITS_BYTES, "Ask with HeadObject"),
    "GetObjectLegalHold": Misread(_ITS_BYTES),
    "GetObjectRetention": Misread(_ITS_BYTES),
    "GetObjectAnnotation": Misread(_ITS_BYTES),
    "ListObjectAnnotations": Misread(_ITS_BYTES, known="read: ais/tgts3.go getObjS3"),
    "RestoreObject": Misread(_REFUSES),
    "SelectObjectContent": Misread(_REFUSES, "Read the object and select from it"),
}
"""The operations that AIStore is known to misread or to refuse."""

_BY_METHOD = {
    "PUT": "its targets take a PUT for a PutObject: the object would become the body of the request",
    "DELETE": "its targets take a DELETE for a DeleteObject",
    "GET": "its targets take a GET for a GetObject",
}


class Ignored(NamedTuple):
    """Parameters that AIStore ignores, and that change what a request means.

    Args:
        wire: a header, or the beginning of its name, in lower case; so that a parameter of the same kind that a future
            botocore brings is known as well.
        names: what boto3 calls them, by header; a header that is not here goes by its own name.
        does: what AIStore does in place of it.
        instead: the way out.
        known: how that is known.
    """

    wire: str
    names: dict[str, str]
    does: str
    instead: str
    known: str = "measured"


_LOOK_FIRST = "Look with HeadObject first, where nothing else writes in between, and leave the condition out"

IGNORED = (
    Ignored(
        "if-",
        {
            "if-match": "IfMatch",
            "if-none-match": "IfNoneMatch",
            "if-modified-since": "IfModifiedSince",
            "if-unmodified-since": "IfUnmodifiedSince",
        },
        "the object would be replaced or deleted whether or not the condition holds",
        _LOOK_FIRST,
    ),
    Ignored(
        "x-amz-if-",
        {
            "x-amz-if-match-last-modified-time": "IfMatchLastModifiedTime",
            "x-amz-if-match-size": "IfMatchSize",
            "x-amz-if-match-initiated-time": "IfMatchInitiatedTime",
        },
        "it would be done whether or not the condition holds",
        _LOOK_FIRST,
        "read: no such header in ais/",
    ),
    Ignored(
        "x-amz-copy-source-if-",
        {
            "x-amz-copy-source-if-match": "CopySourceIfMatch",
            "x-amz-copy-source-if-none-match": "CopySourceIfNoneMatch",
            "x-amz-copy-source-if-modified-since": "CopySourceIfModifiedSince",
            "x-amz-copy-source-if-unmodified-since": "CopySourceIfUnmodifiedSince",
        },
        "it would be copied whether or not the condition holds",
        _LOOK_FIRST,
    ),
    Ignored(
        "x-amz-write-offset-",
        {"x-amz-write-offset-bytes": "WriteOffsetBytes"},
        "the object would be replaced by what was to be appended",
        "Write whole objects",
    ),
    Ignored(
        "x-amz-server-side-encryption-customer-",
        dict.fromkeys(
            (f"x-amz-server-side-encryption-customer-{part}" for part in ("algorithm", "key", "key-md5")),
            "SSECustomerKey",
        ),
        "the object would be stored unencrypted",
        "Encrypt it before you store it",
    ),
    Ignored(
        "x-amz-object-lock-",
        {
            "x-amz-object-lock-mode": "ObjectLockMode",
            "x-amz-object-lock-retain-until-date": "ObjectLockRetainUntilDate",
            "x-amz-object-lock-legal-hold": "ObjectLockLegalHoldStatus",
            "x-amz-object-lock-event-hold": "ObjectLockEventHold",
            "x-amz-object-lock-event-hold-duration-days": "ObjectLockEventHoldDurationDays",
            "x-amz-object-lock-event-hold-duration-years": "ObjectLockEventHoldDurationYears",
        },
        "the object would be stored without the lock",
        "Leave the lock out",
    ),
)
"""What may not be ignored when an object is written or deleted. Reading with it is harmless (measured)."""

_WIRE = tuple(ignored.wire for ignored in IGNORED)

VERSION_ID = Ignored(
    "versionid",
    {},
    "it has one version of an object, which would be read, deleted or copied whatever the VersionId",
    "Leave the VersionId out",
)
PART_NUMBER = Ignored(
    "partnumber",
    {},
    "the answer would be about the whole object",
    "Ask with GetObject, which honours it",
)

HARMLESS = frozenset(
    """
    Bucket Key Body ContentLength CopySource UploadId PartNumber MultipartUpload

    ACL GrantFullControl GrantRead GrantReadACP GrantWriteACP Tagging TaggingDirective AnnotationDirective Metadata
    MetadataDirective CacheControl ContentDisposition ContentEncoding ContentLanguage ContentType Expires StorageClass
    WebsiteRedirectLocation ServerSideEncryption SSEKMSKeyId SSEKMSEncryptionContext BucketKeyEnabled

    ContentMD5 ChecksumAlgorithm ChecksumType ChecksumCRC32 ChecksumCRC32C ChecksumCRC64NVME ChecksumSHA1
    ChecksumSHA256 ChecksumSHA512 ChecksumMD5 ChecksumXXHASH64 ChecksumXXHASH3 ChecksumXXHASH128 MpuObjectSize

    RequestPayer ExpectedBucketOwner ExpectedSourceBucketOwner BypassGovernanceRetention MFA
    CopySourceSSECustomerAlgorithm CopySourceSSECustomerKey CopySourceSSECustomerKeyMD5
    """.split()  # noqa: SIM905 - as a list of words it can be read
)
"""The parameters of honoured writes that may pass, a paragraph a kind: what AIStore honours; what it drops, though the
object is the one meant (measured for ACLs, tags, metadata, ContentType and ServerSideEncryption, read for the others:
no such header in ais/); what would only have caught a broken transfer (measured); and who may do it, which AIStore has
other means for (read)."""

UNCLEAN_KEY = Misread(
    "its targets clean the key as a path, and would use the object '{cleaned}'",
    "Use keys without empty segments, '.', '..' and a slash at either end",
)
QUESTION_MARK_KEY = Misread(
    "its gateway picks the target by what stands before the '?', where the object would be in no list, and lost at the "
    "next clean-up",
    "Use keys without '?'",
)
PERCENT_KEY = Misread(
    "its targets copy to each other without escaping the key, which stores the object under another name or not at all",
    "Copy to a key without '%', or read the object and put it",
)
LONG_KEY = Misread(
    "its targets copy to each other without noticing that a part of the path is too long to be stored",
    "Use a key whose parts between slashes are at most 255 bytes long",
)
CONTROL_KEY = Misread(
    "its redirects carry control characters as they are, and newlines as spaces",
    "Use keys without control characters",
)

KEYS = {
    "ControlCharacterKey": CONTROL_KEY,
    "UncleanKey": UNCLEAN_KEY,
    "QuestionMarkKey": QUESTION_MARK_KEY,
    "PercentKey": PERCENT_KEY,
    "LongKey": LONG_KEY,
}
"""The kinds of keys that AIStore cannot hold, the last two as the destinations of copies, by the name that lifts the
refusal."""

_READING = ("GET", "HEAD")
_EMPTY_OR_DOTS = frozenset((b"", b".", b".."))
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Call(NamedTuple):
    """A request as the guard sees it.

    Args:
        operation: the name of the S3 operation, such as `PutObject`.
        method: the HTTP method.
        headers: the names of the headers that were sent, in lower case.
        query: the names in the query, in lower case.
        key: the key, percent-decoded; empty for a call without one.
        copy_source: what stands in `x-amz-copy-source`.
        body: the body of a DeleteObjects, which says what it deletes; of other calls it is of no interest.
    """

    operation: str
    method: str
    headers: Collection[str]
    query: Collection[str]
    key: bytes
    copy_source: str = ""
    body: Any = None


def check(call: Call, honoured: frozenset[str] = frozenset()) -> None:
    """Refuse a request that AIStore would misread.

    Args:
        call: the request.
        honoured: names of operations, parameters and kinds of keys that this AIStore honours, whatever is known here.

    Raises:
        NotHonoured: AIStore would do something else.
        NoSuchKey: an object is to be read or copied of which it is certain that there is none.
    """
    if call.operation not in HONOURED and call.operation not in honoured:
        unknown = Misread(_BY_METHOD.get(call.method, "it is not known to honour it"))
        misread = MISREAD.get(call.operation, unknown)
        raise _refusal(call, call.operation, misread.does, misread.instead)
    for name, ignored in _ignored(call):
        if name not in honoured:
            raise _refusal(call, name, ignored.does, ignored.instead)
    _check_key(call, honoured)
    _check_source(call, honoured)


def unclassified(operation: str, method: str, parameters: Mapping[str, str]) -> list[str]:
    """What is not known here of an operation on objects, for those who watch botocore's releases.

    Args:
        operation: its name.
        method: its HTTP method.
        parameters: the wire name (that of a header, say) of each parameter, by what boto3 calls it.

    Returns:
        The operation (`FrobnicateObject`), or the parameters of an honoured one that writes (`PutObject.NewParameter`).
    """
    if operation not in HONOURED:
        return [] if operation in MISREAD else [operation]
    if method in _READING:
        return []
    return [
        f"{operation}.{name}"
        for name, wire in parameters.items()
        if name not in HARMLESS and not wire.lower().startswith((*_WIRE, VERSION_ID.wire))
    ]


def _ignored(call: Call) -> Iterable[tuple[str, Ignored]]:
    if VERSION_ID.wire in call.query or "?" in call.copy_source or _deletes_a_version(call):
        yield "VersionId", VERSION_ID
    if call.operation == "HeadObject" and PART_NUMBER.wire in call.query:
        yield "PartNumber", PART_NUMBER
    if call.method not in _READING:
        for header in call.headers:
            if header.startswith(_WIRE):
                ignored = next(one for one in IGNORED if header.startswith(one.wire))
                yield ignored.names.get(header, header), ignored


def _deletes_a_version(call: Call) -> bool:
    return call.operation == "DeleteObjects" and (not isinstance(call.body, bytes) or b"<VersionId>" in call.body)


def _check_key(call: Call, honoured: frozenset[str]) -> None:
    for kind in _kinds_of_key(call):
        if kind in honoured:
            continue
        if kind == "UncleanKey" and call.method in _READING:
            raise NoSuchKey(_no_such_key(call.key))
        does = KEYS[kind].does.format(cleaned=_shown(_cleaned(call.key)))
        raise _refusal(call, kind, does, KEYS[kind].instead, _shown(call.key))


def _kinds_of_key(call: Call) -> Iterable[str]:
    """Which of `KEYS` the key of a call is of, as far as they are of consequence to it."""
    key, is_copy = call.key, call.operation == "CopyObject"
    if _CONTROL.search(key):
        yield "ControlCharacterKey"
    if key and _is_unclean(key):
        yield "UncleanKey"
    if b"?" in key and call.method in ("PUT", "POST"):
        yield "QuestionMarkKey"
    if is_copy and b"%" in key:
        yield "PercentKey"
    if is_copy and any(len(segment) > 255 for segment in key.split(b"/")):
        yield "LongKey"


def _check_source(call: Call, honoured: frozenset[str]) -> None:
    path = call.copy_source.partition("?")[0]
    key = unquote_to_bytes(path).lstrip(b"/").partition(b"/")[2]
    if key and _is_unclean(key) and "UncleanKey" not in honoured:
        raise NoSuchKey(_no_such_key(key))


def _is_unclean(key: bytes) -> bool:
    return not _EMPTY_OR_DOTS.isdisjoint(key.split(b"/"))


def _cleaned(key: bytes) -> bytes:
    """What Go's `path.Clean` makes of a key below its bucket."""
    kept: list[bytes] = []
    for segment in key.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    return b"/".join(kept)


def _no_such_key(key: bytes) -> str:
    return (
        f"The specified key does not exist: AIStore cannot store it, and would return '{_shown(_cleaned(key))}' instead"
    )


def _shown(key: bytes) -> str:
    text = ascii(key.decode("utf-8", "replace"))[1:-1]
    return text if len(text) <= 200 else text[:200] + "..."


def _refusal(call: Call, name: str, does: str, instead: str, key: str | None = None) -> NotHonoured:
    with_operation = "" if name == call.operation else f" with {call.operation}"
    what = f"does not honour {name}{with_operation}" if key is None else f"cannot take the key '{key}'{with_operation}"
    return NotHonoured(
        f"AIStore {what}: {does}. The request was not forwarded. {instead}. If your AIStore does honour it, set "
        f"RedirectPolicy(honoured=['{name}']) or AISTORE_PATCH_HONOURED={name}"
    )


# Names to which an S3 server or an AIStore target gives a meaning, in lower case: with one of them in the query, a
# request for the object `x?acl` would be read as a request for an ACL. S3: botocore 1.44 data/s3/2006-03-01
# (querystring members and requestUri); AIStore: api/apc/query.go, the parameters of object requests.
_MEANINGFUL = frozenset(
    """
    abac accelerate acl analytics attributes bucket-region continuation-token cors delete delimiter
    encoding-type encryption fetch-owner id intelligent-tiering inventory key-marker legal-hold lifecycle list-type
    location logging marker metrics notification object-lock part-number-marker policy prefix publicaccessblock
    ownershipcontrols partnumber policystatus renameobject replication requestpayment restore retention select
    select-type session start-after storageclass tagging torrent upload-id-marker uploadid uploads version-id-marker
    versionid versioning versions website

    append_handle append_type archmime archmode archpath archregx etl_args etl_name frc gfn latest-ver namespace
    original_url owt pid presence props provider set-new-custom skip_vc sln synchronize utm uuid what
    """.split()  # noqa: SIM905 - sixty quoted words are harder to read
)
_MEANINGFUL_PREFIXES = ("annotation", "max-", "metadata", "response-", "x-amz-")


def has_meaning(parameter: str) -> bool:
    """Whether a name in a query, in lower case, means something to S3 or to AIStore."""
    return parameter in _MEANINGFUL or parameter.startswith(_MEANINGFUL_PREFIXES)
