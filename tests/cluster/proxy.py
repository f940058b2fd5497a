"""The gateway: sends every call about an object to a target, answers the others itself."""

from __future__ import annotations

import threading
import zlib
from typing import Sequence

from .node import Node, Site
from .redirects import Redirects, is_redirected
from .s3.buckets import Buckets
from .s3.call import Call
from .s3.errors import S3Error, no_such_bucket
from .s3.objects import Objects
from .store import Store
from .target import Target
from .wire import Response


class Proxy(Node):
    """AIStore's proxy, as its clients see it."""

    def __init__(self, site: Site, *, targets: Sequence[Target], redirects: Redirects, store: Store) -> None:
        self._targets = targets
        self._redirects = redirects
        self._store = store
        self._buckets = Buckets(store)
        self._objects = Objects(store)
        self._lock = threading.Lock()
        self._known_dead: frozenset[str] = frozenset()
        self._redirects_until_notice: int | None = None
        super().__init__(site)

    @property
    def pid(self) -> str:
        """The gateway's id, as its Locations have it."""
        return f"simp{self.port}"

    def answer(self, call: Call) -> Response:
        if not call.key:
            return self._buckets.answer(call)
        if call.bucket not in self._store:
            raise no_such_bucket(call.bucket)
        if self._redirects.form == "path":
            return self._answer_or_redirect_to_itself(call)
        return self._redirects.first(call, self.pid, self._named(call))

    def notice_dead_target(self, after: int = 0) -> None:
        """Find out which targets are dead (or back) after so many more redirects to dead ones.

        Until then the proxy goes on naming them, as AIStore does for half a minute.
        """
        with self._lock:
            self._redirects_until_notice = after
            if not after:
                self._look()

    def target_of(self, bucket: str, key: str) -> Target:
        """The target that the proxy names for an object: a hash's, or the next one not known to be dead."""
        home = zlib.crc32(f"{bucket}/{key}".encode("utf-8", "surrogateescape")) % len(self._targets)
        for target in (*self._targets[home:], *self._targets[:home]):
            if target.name not in self._known_dead:
                return target
        raise S3Error(503, "ServiceUnavailable", "all targets are dead")

    def _named(self, call: Call) -> Target:
        target = self.target_of(call.bucket, call.key)
        if target.is_alive:
            return target
        with self._lock:
            if self._redirects_until_notice is not None:
                self._redirects_until_notice -= 1
                if self._redirects_until_notice < 0:
                    self._look()
                    return self.target_of(call.bucket, call.key)
        return target

    def _look(self) -> None:
        self._known_dead = frozenset(target.name for target in self._targets if not target.is_alive)
        self._redirects_until_notice = None

    def _answer_or_redirect_to_itself(self, call: Call) -> Response:
        if not is_redirected(call):
            return self._redirects.first(call, self.pid, self)
        ticket = self._redirects.redeem(call, self.name)
        if ticket.hops_left:
            return self._redirects.next(call, ticket, self)
        return self._objects.answer(call)
