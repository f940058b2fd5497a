"""Importing this module patches botocore in this process: `from aistore_patch import botocore`.

The limits come from the environment (`RedirectPolicy.from_environment`). `aistore_patch.unpatch()` undoes it, after
which importing this module patches again.
"""

from __future__ import annotations

from .patching import patch

patch()
