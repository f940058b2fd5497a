"""The patch itself: everything is redirected, each redirect is followed exactly, and everything works."""

from __future__ import annotations

from tests.botocore_common import EveryOperation, EveryRedirect


class TestRedirectsPatched(EveryOperation, EveryRedirect):
    redirects = True
    patched = True
