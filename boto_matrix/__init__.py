"""The harness: matrix.yaml becomes tox environments, their results, and what is to be read from them.

Its packages are floors: each knows those below it and none above (docs/architecture.md).
"""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).parent.parent
"""The folder of the project that the harness stands in."""
