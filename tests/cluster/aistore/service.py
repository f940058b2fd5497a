"""Calls as AIStore's gateway and targets answer them."""

from __future__ import annotations

from ..s3.call import Call
from ..s3.errors import invalid_request, no_such_bucket
from ..store import Store
from ..wire import Response
from . import names
from .buckets import Buckets
from .objects import Objects

# Parameters of a GET that the gateway refuses, be it of a bucket or an object (ais/prxs3.go, s3Handler).
_UNSUPPORTED = ("lifecycle", "policy", "cors", "acl")


class AIStore:
    """What AIStore makes of S3."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._buckets = Buckets(store)
        self._objects = Objects(store)

    def at_gateway(self, call: Call, targets: int) -> Response | None:
        call = names.at_gateway(call)
        if not call.bucket:
            return self._buckets.list_all(call)
        if call.method == "POST" and not call.has("uploads", "uploadId") and call.key:
            raise invalid_request()
        creates = call.method == "PUT" and not call.key
        if call.bucket not in self._store and not creates:
            raise no_such_bucket(call.bucket)
        if call.method == "GET" and call.has(*_UNSUPPORTED):
            return Response(501)
        if call.method == "GET" and call.has("uploads"):
            return None if targets == 1 else self._buckets.list_uploads(call)
        if not call.key:
            return self._buckets.answer(call)
        names.refuse_invalid(call.key)
        return None

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
