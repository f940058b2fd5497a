"""boto3 and aiobotocore that follow AIStore's redirects.

`from aistore_patch import botocore` patches this process; `import aistore_patch` alone patches nothing.
"""

from __future__ import annotations

from .errors import RedirectError, UnsupportedBotocoreError
from .patching import follow_redirects, is_patched, patch, patched, unpatch
from .policy import PolicyError, RedirectPolicy

__all__ = [
    "PolicyError",
    "RedirectError",
    "RedirectPolicy",
    "UnsupportedBotocoreError",
    "follow_redirects",
    "is_patched",
    "patch",
    "patched",
    "unpatch",
]
