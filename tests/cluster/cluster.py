"""A gateway and its targets, put together."""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from types import TracebackType
from typing import Callable

from .ledger import Entry, Ledger
from .node import Site
from .proxy import Proxy
from .redirects import Redirects
from .server import Acceptor
from .service import AISTORE, services_of
from .store import Store
from .target import Target
from .wire import Request

LOOPBACK = "127.0.0.1"


class Cluster:
    """A simulated AIStore cluster on loopback; serves from its creation until `stop()` or the end of `with`.

    :param targets: how many
    :param honours: `aistore`: what S3 means beyond the plain calls is ignored, as real targets do, and answered with
        success; `s3`: conditions and keys mean what they do in S3, and what the simulation cannot do is a 501
    :param s3_api_via_root: let the gateway answer at `/` too, as AIStore does with the feature `S3-API-via-Root`
    :param port: of the gateway; 0 takes a free one
    :param own_addresses: give every target an address of its own, 127.0.0.2, 127.0.0.3 … (as Linux allows)
    :param redirects: how redirects look, and how strictly they must be followed
    :param verify: raises S3Error for a request that is not signed well; see `signatures.Verifier`
    :param proxy_tls: makes the gateway speak TLS; see `tls.server_context`
    :param target_tls: the same for the targets
    :param direct_access: let targets answer requests too that no gateway sent there
    :param keeps_up_to: bytes; longer contents are only hashed, and generated when they are read
    :param remembers: how many requests the ledger keeps; None is all
    :param on_answer: called with each entry of the ledger when its status is known
    """

    def __init__(
        self,
        targets: int = 3,
        *,
        honours: str = AISTORE,
        s3_api_via_root: bool = False,
        port: int = 0,
        own_addresses: bool = False,
        redirects: Redirects | None = None,
        verify: Callable[[Request], None] | None = None,
        proxy_tls: ssl.SSLContext | None = None,
        target_tls: ssl.SSLContext | None = None,
        direct_access: bool = False,
        keeps_up_to: int | None = None,
        remembers: int | None = None,
        on_answer: Callable[[Entry], None] | None = None,
    ) -> None:
        if targets < 1:
            raise ValueError(f"a cluster needs at least one target, not {targets}")
        self.store = Store(keeps_up_to)
        self.ledger = Ledger(remembers, on_answer)
        self.redirects = redirects or Redirects()
        self._services = services_of(self.store, targets)
        self._acceptor = Acceptor()
        self.targets: list[Target] = []
        self._nodes: list[Target | Proxy] = []
        try:
            for number in range(targets):
                host = str(ip_address(LOOPBACK) + number + 1) if own_addresses else LOOPBACK
                site = Site(f"target{number}", host, 0, self._acceptor, self.ledger, self._services, verify, target_tls)
                self.targets.append(self._target(site, direct_access))
                self._nodes.append(self.targets[-1])
            site = Site("proxy", LOOPBACK, port, self._acceptor, self.ledger, self._services, verify, proxy_tls)
            self.proxy = Proxy(site, self.targets, self.redirects, s3_api_via_root=s3_api_via_root)
            self._nodes.append(self.proxy)
            self.honours = honours
        except BaseException:
            self.stop()
            raise

    @property
    def endpoint_url(self) -> str:
        """For S3 clients."""
        return f"{self.proxy.url}/s3"

    @property
    def honours(self) -> str:
        """What calls mean, at all nodes; may be changed while the cluster serves."""
        return self.proxy.honours

    @honours.setter
    def honours(self, whose: str) -> None:
        if whose not in self._services:
            raise ValueError(f"a cluster honours one of {sorted(self._services)}, not {whose!r}")
        for node in self._nodes:
            node.honours = whose

    def target_of(self, bucket: str, key: str) -> Target:
        """The target that the gateway names for an object now."""
        return self.proxy.target_of(bucket, key)

    def heal(self) -> None:
        """End all faults; the dead come back, and the gateway knows."""
        for node in self._nodes:
            node.heal()
        self.proxy.notice_dead_target()

    def stop(self) -> None:
        """End every connection and thread."""
        for node in self._nodes:
            node.stop()
        self._acceptor.stop()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _target(self, site: Site, direct_access: bool) -> Target:
        return Target(
            site,
            redirects=self.redirects,
            direct_access=direct_access,
            successor=self._successor,
        )

    def _successor(self, target: Target) -> Target:
        return self.targets[(self.targets.index(target) + 1) % len(self.targets)]
