"""What a gateway and a target have in common: an address, faults, a ledger, S3 errors."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Callable, Mapping

from .faults import Fault, Faults, Rule
from .ledger import Entry, Ledger
from .s3.call import Call, call_of
from .s3.errors import S3Error, no_such_bucket
from .server import Acceptor, HttpServing, Server
from .service import AISTORE, Service
from .store import NoSuchBucketError
from .wire import Ending, MalformedRequestError, Request, Response

Verify = Callable[[Request], None]
"""Raises S3Error if a request's signature is not right."""


@dataclass(frozen=True)
class Site:
    """Where a node stands, and what it shares with the others."""

    name: str
    host: str
    port: int
    acceptor: Acceptor
    ledger: Ledger
    services: Mapping[str, Service]
    verify: Verify | None = None
    tls: ssl.SSLContext | None = None


class Node(ABC):
    """A server of the cluster."""

    def __init__(self, site: Site) -> None:
        self.name = site.name
        self.scheme = "http" if site.tls is None else "https"
        self.honours = AISTORE
        """What calls mean here; see Cluster."""
        self._services = site.services
        self._ledger = site.ledger
        self._verify = site.verify
        self._faults = Faults()
        self._server = Server(
            site.name,
            site.host,
            site.port,
            HttpServing(site.name, self._respond, site.ledger),
            acceptor=site.acceptor,
            ledger=site.ledger,
            tls=site.tls,
        )
        self.host: str = self._server.host
        self.port: int = self._server.port

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def service(self) -> Service:
        return self._services[self.honours]

    @property
    def requests(self) -> list[Entry]:
        """What the node was asked."""
        return self._ledger.requests(self.name)

    @property
    def connections(self) -> int:
        """How many connections were opened to the node."""
        return self._ledger.connections(self.name)

    @property
    def is_alive(self) -> bool:
        return self._server.listening

    def fail_with(
        self,
        fault: Fault,
        *,
        times: int | None = None,
        after: int = 0,
        every: int = 1,
        when: Callable[[Request], bool] = lambda request: True,  # noqa: ARG005 - the default takes every request
    ) -> Rule:
        """Apply a fault to requests from now on; of several rules the newest that applies counts.

        :param times: how often at most; None is for ever
        :param after: how many requests are spared first
        :param every: then only every so-manieth
        :param when: which requests count at all
        """
        rule = Rule(fault, times, after, every, when)
        self._faults.add(rule)
        return rule

    def heal(self) -> None:
        """Forget all faults, and come back from the dead."""
        self._faults.clear()
        self._server.listen()

    def kill(self) -> None:
        """Cut every connection and refuse new ones. Nobody else gets the port."""
        self._server.refuse()

    def cut_connections(self) -> None:
        """End every open connection; new ones are welcome."""
        self._server.cut()

    def stop(self) -> None:
        self._faults.clear()
        self._server.stop()

    @abstractmethod
    def answer(self, call: Call) -> Response:
        """The answer to a call; raises S3Error."""

    def _respond(self, request: Request) -> Response:
        return self._faults.answer(request, self._handle)

    def _handle(self, request: Request) -> Response:
        try:
            if self._verify is not None:
                self._verify(request)
            return self.answer(call_of(request))
        except S3Error as error:
            return error.response()
        except NoSuchBucketError as missing:  # deleted by another client in the meantime
            return no_such_bucket(missing.args[0]).response()
        except MalformedRequestError as problem:
            return S3Error(400, "InvalidRequest", str(problem)).response(Ending.CLOSE)
