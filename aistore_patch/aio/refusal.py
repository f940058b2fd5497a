"""What is put into an aiobotocore that the patch does not know: its S3 calls are refused, since aiohttp would follow.

It does not import aiobotocore, which may not be what is expected.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

from ..call import is_followed_for
from ..errors import UnsupportedBotocoreError

SIGNATURES = {"make_request": (("self", "operation_model", "request_dict"),)}
"""The method of `AioEndpoint` that every call goes through (of `botocore.endpoint.Endpoint`, 1.20 to 1.44)."""


def wrapped(
    cls: type, policy: Callable[[], Any], original: Callable[[str], Callable[..., Any]], why: str
) -> dict[str, Callable[..., Any]]:
    """The method that refuses; arguments as for `aistore_patch.endpoint.wrapped`, and the reason."""

    @functools.wraps(cls.make_request)  # type: ignore[attr-defined]  # looked for by who calls this
    def make_request(self: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        if policy() is not None and is_followed_for(self, operation_model):
            raise UnsupportedBotocoreError(
                f"{why}; {operation_model.name} was not sent, since aiohttp would follow redirects by itself, and not "
                "to the object meant. Use an aiobotocore that aistore_patch supports, or aistore_patch.unpatch()"
            )
        return original("make_request")(self, operation_model, *args, **kwargs)

    return {"make_request": make_request}
