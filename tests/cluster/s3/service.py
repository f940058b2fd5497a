"""Calls as an S3 would answer them that stands behind a gateway."""

from __future__ import annotations

from ..store import Store
from ..wire import Response
from .buckets import Buckets
from .call import Call
from .errors import no_such_bucket
from .objects import Objects


class S3:
    """What S3 means, or 501 NotImplemented."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._buckets = Buckets(store)
        self._objects = Objects(store)

    def at_gateway(self, call: Call) -> Response | None:
        if not call.key:
            return self._buckets.answer(call)
        if call.bucket not in self._store:
            raise no_such_bucket(call.bucket)
        return None

    def at_target(self, call: Call) -> Response:
        return self._objects.answer(call) if call.key else self._buckets.answer(call)
