"""Control: botocore as it is, and a cluster that redirects everything. Every call raises the client error."""

from __future__ import annotations

from tests.botocore_common import EveryOperation


class TestRedirectsUnpatched(EveryOperation):
    redirects = True
    patched = False
