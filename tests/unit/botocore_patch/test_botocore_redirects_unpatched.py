"""Control: botocore as it is, and a cluster that redirects everything. Every call raises the client error."""

from __future__ import annotations

from tests.botocore_common import EveryOperation, EveryRedirect


class TestRedirectsUnpatched(EveryOperation, EveryRedirect):
    redirects = True
    patched = False
