"""What asking a package index can come to.

Apart from `boto_matrix.index`, whose libraries take a third of a second to import.
"""

from __future__ import annotations


class IndexUnavailable(Exception):
    """The package index did not answer, or not as an index does; the message says which, why and what to do."""


class NoSuchRelease(Exception):
    """The index answered that it does not have what was asked for."""
