"""The patch itself: everything is redirected, each redirect is followed exactly, and everything works."""

from __future__ import annotations

from tests.botocore_common import EveryOperation


class TestRedirectsPatched(EveryOperation):
    redirects = True
    patched = True
