"""Passwords, tokens and keys taken out of text, before it becomes a result, a message or a line of a log.

Two things are secrets: what stands before the host of a URL, whoever wrote it; and, wherever it turns up again, what
the environment of this process holds of that kind: in a variable that is named for it, or in a URL.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit

HIDDEN = "***"
"""What stands in the place of a secret."""

_SHORTEST = 4  # characters: to hide each "a" in a text because it is a password would hide nothing but the text
_NO_SECRETS = {"true", "false", "none", "null"}
_NAMED_FOR_IT = re.compile(
    r"(?i)(^|[_-])(api_?key|auth|credentials?|key|pass|passphrase|passwd|password|pat|pwd|secret|sig|signature|token)s?($|[_-])"
)
# The user and password of a URL: up to the last @ before its path, as clients read it. A password with a slash in it,
# which should have been escaped, is known by the colon before it that no port follows.
_USER = re.compile(
    r'(?P<scheme>[a-z0-9+.-]*)://(?P<user>[^\s/"<>]*|[^\s/:@\["<>]+:(?!\d+(?:/|$))[^\s@"<>]*)@', re.IGNORECASE
)


def redacted(text: str) -> str:
    """Take the secrets out of a text, and leave all else as it is."""
    return _without(text, _secrets_of_this_process(tuple(os.environ.items())))


def _without(text: str, secrets: re.Pattern[str] | None) -> str:
    text = _USER.sub(_hide_user, text) if "@" in text else text
    return text if secrets is None else secrets.sub(HIDDEN, text)


def _hide_user(match: re.Match[str]) -> str:
    scheme, user = match["scheme"], match["user"]
    is_a_name_only = scheme.lower().endswith("ssh") and ":" not in user  # git@…: everybody's
    return match[0] if is_a_name_only else f"{scheme}://{HIDDEN}@"


@cache
def _secrets_of_this_process(environ: tuple[tuple[str, str], ...]) -> re.Pattern[str] | None:
    """Give what finds the secrets of an environment: the longest first, for one may begin with another."""
    found = {secret for name, value in environ for secret in _secrets(name, value)}
    usable = {one for one in found if len(one) >= _SHORTEST and one.lower() not in _NO_SECRETS}
    return re.compile("|".join(map(re.escape, sorted(usable, key=len, reverse=True)))) if usable else None


def _secrets(name: str, value: str) -> Iterator[str]:
    if _NAMED_FOR_IT.search(name) and not os.path.isabs(value):  # SSH_AUTH_SOCK is where one is, and none
        yield from {value, value.strip()}
    if "://" not in value:
        return
    for match in _USER.finditer(value):
        if _hide_user(match) != match[0]:
            user, _, password = match["user"].partition(":")
            yield from (one for part in (password or user, match["user"]) for one in (part, unquote(part)))
    for key, one in _query(value):
        if _NAMED_FOR_IT.search(key):
            yield one


def _query(url: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(url).query)
    except ValueError:  # no URL after all
        return []
