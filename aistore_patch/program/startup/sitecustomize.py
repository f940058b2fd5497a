"""Activate the hook in each Python that `python -m aistore_patch run` starts, then be the `sitecustomize` it hides."""

from __future__ import annotations

import os
import sys

import _aistore_patch_hook  # type: ignore[import-not-found]  # it lies beside this file

_here = os.path.dirname(os.path.abspath(__file__))
_aistore_patch_hook.activate(library=os.path.dirname(os.path.dirname(_here)))

# Python imports one `sitecustomize`, and this directory is the first that it looks in: it has done its work.
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _here]
_this = sys.modules.pop(__name__)
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - the next one, which may be there
except ModuleNotFoundError as error:
    if error.name != "sitecustomize":
        raise
finally:
    sys.modules.setdefault(__name__, _this)
