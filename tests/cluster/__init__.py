"""A simulated AIStore cluster on loopback: a gateway that redirects, targets, faults on demand.

    with Cluster(targets=3) as cluster:
        client = boto3.client("s3", endpoint_url=cluster.endpoint_url, …)

`python -m tests.cluster` serves one until Ctrl-C.
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
