"""Importing this module patches botocore in this process: `from aistore_patch import botocore`.

The limits come from the environment (`RedirectPolicy.from_environment`). `aistore_patch.unpatch()` undoes it, after
which importing this module patches again.
"""

from __future__ import annotations

from typing import Any

import botocore as _botocore

from .patching import patch


def __getattr__(name: str) -> Any:
    """What botocore itself has: the name that this module is imported under hides it."""
    if name.startswith("__") and name != "__version__":  # with a `__path__`, Python would take this for a package
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_botocore, name)


patch()
