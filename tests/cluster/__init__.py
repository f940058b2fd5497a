"""A simulated AIStore cluster on loopback: a gateway that redirects, targets, faults on demand.

    with Cluster(targets=3) as cluster:
        client = boto3.client("s3", endpoint_url=cluster.endpoint_url, …)

`python -m tests.cluster` serves one until Ctrl-C.
"""

from __future__ import annotations

from .cluster import Cluster
from .faults import Fault, Gate
from .ledger import Entry, Ledger
from .redirects import Redirects
from .store import Store, StoredObject, generated_bytes
from .wire import Ending, Request, Response

__all__ = [
    "Cluster",
    "Ending",
    "Entry",
    "Fault",
    "Gate",
    "Ledger",
    "Redirects",
    "Request",
    "Response",
    "Store",
    "StoredObject",
    "generated_bytes",
]
