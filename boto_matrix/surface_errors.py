"""What reading a surface can come to, apart from the modules that read them, which import much."""

from __future__ import annotations


class SurfaceError(Exception):
    """A surface cannot be told; the message says why and what to do."""


class NotInstalled(SurfaceError):
    """A package is not where it was looked for."""


class UnreadableSources(SurfaceError):
    """A source file cannot be parsed; the message names it."""


class RecordError(SurfaceError):
    """surface.json cannot be read."""
