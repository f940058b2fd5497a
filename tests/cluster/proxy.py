"""The gateway: sends every call about an object to a target, answers the others itself."""

from __future__ import annotations

import json
import threading
import zlib
from typing import Sequence

from .aistore.names import cleaned
from .location import GatewayPanicError
from .node import Node, Site
from .redirects import Redirects, base36, is_redirected
from .s3.call import Call
from .s3.errors import S3Error
from .target import Target
from .wire import Ending, RawResponse, Response


class Proxy(Node):
    """AIStore's proxy, as its clients see it."""

    def __init__(
        self, site: Site, targets: Sequence[Target], redirects: Redirects, *, s3_api_via_root: bool = False
    ) -> None:
        self.s3_api_via_root = s3_api_via_root
        self._targets = targets
        self._redirects = redirects
        self._lock = threading.Lock()
        self._known_dead: frozenset[str] = frozenset()
        self._redirects_until_notice: int | None = None
        super().__init__(site)
        self.pid = f"simp{base36(self.port).decode():0>4}"
        """The gateway's id, as its Locations have it."""

    def answer(self, call: Call) -> Response:
        if call.at_root and not self.s3_api_via_root:
            return self._no_such_api(call)
        try:
            answer = self.service.at_gateway(call)
            return self._redirect(call) if answer is None else answer
        except GatewayPanicError:
            return RawResponse(b"", Ending.CLOSE)

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
        name = cleaned(key.partition("?")[0])
        home = zlib.crc32(f"{bucket}/{name}".encode("utf-8", "surrogateescape")) % len(self._targets)
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

    def _redirect(self, call: Call) -> Response:
        if self._redirects.form != "path":
            return self._redirects.first(call, self.pid, self._named(call))
        if not is_redirected(call):
            return self._redirects.first(call, self.pid, self)
        ticket = self._redirects.redeem(call, self.name)
        if ticket.hops_left:
            return self._redirects.next(call, ticket, self)
        return self.service.at_target(call)

    def _no_such_api(self, call: Call) -> Response:
        """AIStore's own error, not S3's (writeErrURL in ais/htrun.go)."""
        method, target, client = call.method, call.request.target.decode("latin-1"), call.request.client
        error = {
            "message": f"invalid request URI: '{method} {target}' from {client}",
            "method": method,
            "url_path": call.request.path.decode("latin-1"),
            "remote_addr": client,
            "caller": "",
            "node": f"p[{self.pid}]",
            "status": 400,
        }
        body = json.dumps(error, separators=(",", ":")) + "\n"
        headers = [("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff")]
        return Response(400, headers, body.encode("latin-1"))
