"""What is put into an aiobotocore that the patch does not know: its S3 calls are refused, since aiohttp would follow.

It does not import aiobotocore, which may not be what is expected.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

from ..call import is_followed_for
from ..errors import UnsupportedBotocoreError


def refusing(make_request: Callable[..., Any], policy: Callable[[], Any], why: str) -> Callable[..., Any]:
    """A method that refuses calls of S3 in place of an endpoint's `make_request`.

    Args:
        make_request: what it is put in the place of.
        policy: called for each call; None: then it is left to `make_request`.
        why: what is unknown, for the error.
    """

    @functools.wraps(make_request)
    def refuse(self: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        if policy() is not None and is_followed_for(self, operation_model):
            raise UnsupportedBotocoreError(
                f"{why}. {operation_model.name} was not sent, since aiohttp may follow redirects to other objects than "
                "those meant. Use an aiobotocore that aistore_patch supports, or call aistore_patch.unpatch()"
            )
        return make_request(self, operation_model, *args, **kwargs)

    return refuse
