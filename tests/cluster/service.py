"""What the nodes make of the calls that reach them: as AIStore does, or as S3 means them."""

from __future__ import annotations

from typing import Protocol

from .aistore.service import AIStore
from .s3.call import Call
from .s3.service import S3
from .store import Store
from .wire import Response

AISTORE = "aistore"


class Service(Protocol):
    """Answers calls that are well signed and well directed."""

    def at_gateway(self, call: Call) -> Response | None:
        """The gateway's own answer; None for a call that it sends to a target."""

    def at_target(self, call: Call) -> Response:
        """A target's answer."""


def services_of(store: Store, targets: int) -> dict[str, Service]:
    """By the name of what it honours."""
    return {AISTORE: AIStore(store, targets), "s3": S3(store)}
