"""A target: serves objects to clients that a gateway sent, and followed its Location to the letter."""

from __future__ import annotations

from typing import Callable

from .node import Node, Site
from .redirects import Redirects, is_redirected
from .s3.call import Call
from .wire import Response


class Target(Node):
    """AIStore's target, as redirected clients see it.

    With `direct_access` it also answers, as any S3 server would, requests that carry nothing from a gateway.
    """

    def __init__(
        self,
        site: Site,
        *,
        redirects: Redirects,
        direct_access: bool,
        successor: Callable[[Target], Target],
    ) -> None:
        self._redirects = redirects
        self._direct_access = direct_access
        self._successor = successor
        super().__init__(site)

    def answer(self, call: Call) -> Response:
        if self._direct_access and not is_redirected(call):
            return self.service.at_target(call)
        ticket = self._redirects.redeem(call, self.name)
        if ticket.hops_left:
            to = self if self._redirects.form == "path" else self._successor(self)
            return self._redirects.next(call, ticket, to)
        return self.service.at_target(call)
