"""A simulated AIStore cluster on loopback: a gateway that redirects, targets, faults on demand.

Redirecting, refusing and ignoring as a real cluster was seen to; a store in memory, shared by all targets; real
sockets.

    with Cluster(targets=3) as cluster:
        client = boto3.client("s3", endpoint_url=cluster.endpoint_url, ...)
        cluster.store.create_bucket("b")

        cluster.honours = "s3"                                           # conditions hold, as AIStore lets none
        cluster.redirects.status = 308                                   # how redirects look; see Redirects
        cluster.target_of("b", "k").fail_with(Fault.RESET, times=2)      # what goes wrong; see Fault, Node.fail_with
        cluster.targets[1].kill()                                        # refuses connections; the gateway goes on ...
        cluster.proxy.notice_dead_target()                               # ... naming it until it is told
        ...
        assert cluster.store["b", "k"].data == b"what was put"
        assert [entry.node for entry in cluster.ledger.requests()] == ["proxy", "target2"]

`python -m tests.cluster` serves one until Ctrl-C. Only the standard library is needed.
"""

from __future__ import annotations

from .cluster import Cluster
from .faults import Fault, Gate
from .forward_proxy import ForwardProxy
from .ledger import Entry, Ledger
from .redirects import Redirects
from .signatures import Verifier
from .store import Store, StoredObject, generated_bytes
from .tls import AUTHORITY, CLIENT, server_context
from .wire import Ending, Request, Response

__all__ = [
    "AUTHORITY",
    "CLIENT",
    "Cluster",
    "Ending",
    "Entry",
    "Fault",
    "ForwardProxy",
    "Gate",
    "Ledger",
    "Redirects",
    "Request",
    "Response",
    "Store",
    "StoredObject",
    "Verifier",
    "generated_bytes",
    "server_context",
]
