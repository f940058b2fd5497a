"""Objects of the doctor's own in a bucket, below a prefix of their own, gone when it is done."""

from __future__ import annotations

import contextlib
import uuid
from types import TracebackType
from typing import Any, Iterable, Iterator

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from ... import RedirectPolicy, follow_redirects, guard

FAILURES = (ClientError, BotoCoreError)

BODY = b"<Tagging><TagSet><Tag><Key>own</Key><Value>bytes</Value></Tag></TagSet></Tagging>"
"""What each object holds: where AIStore takes an object's bytes for an answer, they are an answer that is wrong."""

ROUNDS = 3
"""How often the clean-up lists what there is: a name of a copy may be other than the one that was asked for."""


class Lab:
    """A prefix in a bucket to try things below; as a context manager it removes what was written.

    Args:
        client: an S3 client, which the lab keeps for itself.
        bucket: the bucket.
        policy: the limits; what it says is honoured stays so.
    """

    def __init__(self, client: Any, bucket: str, policy: RedirectPolicy) -> None:
        self.bucket = bucket
        self.policy = policy
        self.prefix = f"aistore-patch-doctor/{uuid.uuid4()}/"
        self.body = BODY
        self.left: list[str] = []
        """The keys that could not be removed, and reasons; known after the end."""
        self._client = client
        self._uploads: list[tuple[str, str]] = []
        self._written: list[str] = []
        self._follow(())

    def can(self, operation: str, parameter: str | None) -> bool:
        """Whether this botocore knows an operation, and a parameter of it."""
        model = self._client.meta.service_model
        if operation not in model.operation_names:
            return False
        return parameter is None or parameter in model.operation_model(operation).input_shape.members

    @contextlib.contextmanager
    def honouring(self, name: str) -> Iterator[None]:
        """Have the patch let something pass until the block ends."""
        before = self._honoured
        self._follow({*before, name})
        try:
            yield
        finally:
            self._follow(before)

    def call(self, operation: str, **parameters: Any) -> Any:
        """Make a call about the bucket."""
        return getattr(self._client, xform_name(operation))(Bucket=self.bucket, **parameters)

    def name(self, name: str) -> str:
        """A key that nobody has used, which is removed in the end."""
        key = f"{self.prefix}{len(self._written)}-{name}"
        self._written.append(key)
        return key

    def put(self, name: str, **parameters: Any) -> str:
        """Write an object under a new key; the key."""
        key = self.name(name)
        self.call("PutObject", Key=key, Body=self.body, **parameters)
        return key

    def read(self, key: str) -> bytes | None:
        """The bytes of an object, None where there is none."""
        try:
            content: bytes = self.call("GetObject", Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return None
            raise
        return content

    def copy(self, source: str, name: str, **parameters: Any) -> str:
        """Copy an object to a new key; the key."""
        key = self.name(name)
        self.call("CopyObject", Key=key, CopySource={"Bucket": self.bucket, "Key": source}, **parameters)
        return key

    def start_parts(self, key: str) -> dict[str, Any]:
        """Start a multipart upload; the parameters that name it."""
        upload = self.call("CreateMultipartUpload", Key=key)["UploadId"]
        self._uploads.append((key, upload))
        return {"Key": key, "UploadId": upload}

    def put_in_parts(self, name: str, over: str | None = None, **parameters: Any) -> str:
        """Write an object by a multipart upload of one part; its key.

        Args:
            name: as for `put`.
            over: a key to write to instead.
            parameters: those of CompleteMultipartUpload.
        """
        upload = self.start_parts(over or self.name(name))
        etag = self.call("UploadPart", PartNumber=1, Body=self.body, **upload)["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        self.call("CompleteMultipartUpload", MultipartUpload=parts, **upload, **parameters)
        self._uploads.pop()
        return str(upload["Key"])

    def listed(self) -> list[str]:
        """The keys below the prefix, a thousand at most, as a list has them."""
        listed = self.call("ListObjectsV2", Prefix=self.prefix)
        return [entry["Key"] for entry in listed.get("Contents", ())]

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._follow(guard.KEYS)
        for key, upload in self._uploads:
            with contextlib.suppress(*FAILURES):
                self.call("AbortMultipartUpload", Key=key, UploadId=upload)
        for key in self._written:  # those, too, that no list has
            with contextlib.suppress(*FAILURES):
                self.call("DeleteObject", Key=key)
        try:
            for _ in range(ROUNDS):
                self.left = self.listed()
                for key in self.left:
                    with contextlib.suppress(*FAILURES):
                        self.call("DeleteObject", Key=key)
        except FAILURES as failure:
            self.left = [self.prefix, str(failure)]

    def _follow(self, honoured: Iterable[str]) -> None:
        own, self._honoured = self.policy, frozenset(honoured)
        names = own.honoured | self._honoured
        policy = RedirectPolicy(
            max_hops=own.max_hops, allow_hosts=own.allow_hosts, allow_downgrade=own.allow_downgrade, honoured=names
        )
        follow_redirects(self._client, policy)
