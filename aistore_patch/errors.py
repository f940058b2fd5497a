"""What callers of a patched botocore may have to catch."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


class RedirectError(ClientError):  # type: ignore[misc]  # botocore has no types
    """A redirect that was not followed; nothing was sent where it led.

    It is a `ClientError` like those for other answers of the server. `response["Error"]["Code"]` is one of
    `NotHonoured`, `InvalidRedirectLocation`, `RedirectToOtherObject`, `RedirectRefused`, `RedirectLoop`,
    `TooManyRedirects` and `RedirectBodyNotRewindable`; `response["ResponseMetadata"]["Redirects"]` lists the hops that
    were followed before.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """As this class, where `ClientError` would have it pickled as itself."""
        return type(self), (self.response, self.operation_name)


class UnsupportedBotocoreError(RuntimeError):
    """The installed botocore lacks something that the patch stands on; nothing was patched."""
