"""Control: botocore as it is, and a cluster that redirects nothing. Everything works."""

from __future__ import annotations

from tests.botocore_common import EveryOperation


class TestNoRedirectUnpatched(EveryOperation):
    redirects = False
    patched = False
