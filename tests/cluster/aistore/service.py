"""Calls as AIStore's gateway and targets answer them."""

from __future__ import annotations

from ..s3.call import Call
from ..s3.errors import invalid_request, no_such_bucket
from ..s3.objects import is_copy
from ..store import Store
from ..wire import Response
from . import names
from .buckets import Buckets
from .objects import Objects

# Parameters of a GET that the gateway refuses, be it of a bucket or an object (ais/prxs3.go, s3Handler).
_UNSUPPORTED = ("lifecycle", "policy", "cors", "acl")


class AIStore:
    """What AIStore makes of S3."""

    def __init__(self, store: Store, targets: int) -> None:
        self._store = store
        self._targets = targets
        self._buckets = Buckets(store)
        self._objects = Objects(store, targets)

    def at_gateway(self, call: Call) -> Response | None:
        call = names.at_gateway(call)
        if not call.bucket:
            return self._buckets.list_all(call)
        if call.method == "POST" and not call.has("uploads", "uploadId", *(() if call.key else ("delete",))):
            raise invalid_request()
        if call.bucket not in self._store and (call.key or call.method != "PUT"):
            raise no_such_bucket(call.bucket)
        if call.method == "GET" and call.has(*_UNSUPPORTED):
            return Response(501)
        if call.method == "GET" and call.has("uploads"):
            return None if self._targets == 1 else self._buckets.list_uploads(call)
        if not call.key:
            return self._buckets.answer(call)
        names.refuse_invalid(call.key)
        if call.method == "PUT" and is_copy(call):
            self._check_copy_source(call)
        return None

    def _check_copy_source(self, call: Call) -> None:
        bucket, _ = names.of_copy_source(call.header("x-amz-copy-source"))
        if bucket not in self._store:
            raise no_such_bucket(bucket)

    def at_target(self, call: Call) -> Response:
        call = names.at_target(call)
        if not call.bucket:
            return self._buckets.list_all(call)
        if call.method == "GET" and call.has("uploads"):
            return self._buckets.list_uploads(call)
        if not call.key:  # asked without a gateway
            return self._buckets.answer(call)
        names.refuse_invalid(call.key)
        return self._objects.answer(call)
