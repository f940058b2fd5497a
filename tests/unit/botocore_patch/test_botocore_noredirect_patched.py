"""The patch does not disturb what is not redirected. Everything works."""

from __future__ import annotations

from tests.botocore_common import EveryOperation


class TestNoRedirectPatched(EveryOperation):
    redirects = False
    patched = True
