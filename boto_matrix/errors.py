"""What is the user's to mend: `python -m boto_matrix` and tox say it in a line, without a traceback."""

from __future__ import annotations

from boto_matrix.redaction import redacted


class UserError(Exception):
    """Something cannot be done as asked; the message names it, says what was expected, and what to do.

    As text it is without what is secret.
    """

    def __str__(self) -> str:
        return redacted(super().__str__())


class IndexUnavailable(UserError):
    """The package index did not answer, or not as an index does; the message says which, why and what to do."""


class NoSuchRelease(UserError):
    """The index answered that it does not have what was asked for."""
