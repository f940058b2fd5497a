"""Which redirects may be followed at all: the limits a user sets, pure and without botocore."""

from __future__ import annotations

import os
import re
from typing import Any, Callable, Iterable, Mapping, NamedTuple

from .guard import KEYS
from .location import Url

ENVIRONMENT_PREFIX = "AISTORE_PATCH_"

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off", "")

_IS_HONOURABLE = re.compile("[A-Za-z][A-Za-z0-9-]*").fullmatch  # of what a later botocore brings, too


class PolicyError(ValueError):
    """An invalid redirect policy: the message names the setting, the value and what is expected."""


class Refused(ValueError):
    """The policy forbids this redirect."""


class _Settings(NamedTuple):
    max_hops: int
    allow_hosts: tuple[str, ...] | None
    allow_downgrade: bool
    honoured: tuple[str, ...]


class RedirectPolicy:
    """The limits within which redirects are followed. Immutable.

    Args:
        max_hops: the greatest number of redirects followed for one request, 0 or more.
        allow_hosts: the hosts that a redirect may lead to: names (`target1.example`), patterns for all names below one
            (`*.example`), addresses (`10.0.0.7`, `::1`) and networks (`10.0.0.0/8`). None allows every host. The host
            that the request was made for is always allowed. Names are compared as they stand, never resolved: a network
            allows the addresses in it, not the names that lead there.
        allow_downgrade: whether a request made over https may be repeated over http.
        honoured: what an AIStore honours though `aistore_patch.guard` says that it does not: names of operations
            (`PutObjectTagging`), of parameters (`IfNoneMatch`) and of kinds of keys (`UncleanKey`), as the error names
            them.

    Raises:
        PolicyError: a value is none of these.
    """

    __slots__ = ("_honoured", "_hosts", "_settings")

    def __init__(
        self,
        *,
        max_hops: int = 5,
        allow_hosts: Iterable[str] | None = None,
        allow_downgrade: bool = False,
        honoured: Iterable[str] = (),
    ) -> None:
        if isinstance(max_hops, bool) or not isinstance(max_hops, int) or max_hops < 0:
            raise PolicyError(f"max_hops is {max_hops!r}; a whole number, 0 or more, is expected")
        if not isinstance(allow_downgrade, bool):
            raise PolicyError(f"allow_downgrade is {allow_downgrade!r}; True or False is expected")
        hosts = None if allow_hosts is None else _listed("allow_hosts", "hosts", allow_hosts)
        names = _listed("honoured", "names", honoured)
        for name in names:
            if not isinstance(name, str) or not _IS_HONOURABLE(name):
                raise PolicyError(
                    f"honoured has {name!r}; the name of an operation (PutObjectTagging), of a parameter (IfNoneMatch) "
                    f"or of a kind of keys ({', '.join(KEYS)}) is expected"
                )
        self._hosts = None if hosts is None else _Hosts(hosts)
        self._settings = _Settings(max_hops, hosts, allow_downgrade, names)
        self._honoured = frozenset(names)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> RedirectPolicy:
        """The policy that `AISTORE_PATCH_MAX_HOPS`, `_ALLOW_HOSTS`, `_ALLOW_DOWNGRADE` (`1` or `0`) and `_HONOURED`
        describe (lists are separated by commas or spaces); the defaults where they are not set.

        Args:
            environ: the variables to read, `os.environ` by default.

        Raises:
            PolicyError: a value cannot be read, or a variable with this prefix is unknown (a typing error in the name
                of a limit must not lift the limit).
        """
        environ = os.environ if environ is None else environ
        settings: dict[str, Any] = {}
        for name in sorted(name for name in environ if name.startswith(ENVIRONMENT_PREFIX)):
            setting = name[len(ENVIRONMENT_PREFIX) :].lower()
            if setting not in _READERS:
                known = ", ".join(ENVIRONMENT_PREFIX + known.upper() for known in _READERS)
                raise PolicyError(f"{name} is not a setting; known are {known}")
            settings[setting] = _READERS[setting](name, environ[name].strip())
        settings.pop("short_way", None)  # a switch of the process, no limit of a policy: see short_way_is_on
        return cls(**settings)

    @property
    def max_hops(self) -> int:
        """The greatest number of redirects followed for one request."""
        return self._settings.max_hops

    @property
    def allow_hosts(self) -> tuple[str, ...] | None:
        """The hosts that a redirect may lead to, as they were given; None: every host."""
        return self._settings.allow_hosts

    @property
    def allow_downgrade(self) -> bool:
        """Whether a request made over https may be repeated over http."""
        return self._settings.allow_downgrade

    @property
    def honoured(self) -> frozenset[str]:
        """What an AIStore honours though `aistore_patch.guard` says that it does not."""
        return self._honoured

    def check(self, url: Url, current: Url, original: Url) -> None:
        """Refuse a redirect that these limits forbid.

        Args:
            url: where the redirect leads.
            current: the URL that was answered with it.
            original: the URL of the caller's request.

        Raises:
            Refused: the policy forbids it; the message says which limit does.
        """
        if current.scheme == "https" and url.scheme == "http" and not self.allow_downgrade:
            raise Refused("it leads from https to http (allow_downgrade=True would permit it)")
        if self._hosts is not None and url.host != original.host and not self._hosts.allow(url.host):
            raise Refused(f"the host {url.host} is not in allow_hosts")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RedirectPolicy) and self._settings == other._settings

    def __hash__(self) -> int:
        return hash(self._settings)

    def __repr__(self) -> str:
        return "RedirectPolicy({})".format(", ".join(f"{k}={v!r}" for k, v in self._settings._asdict().items()))


def short_way_is_on(environ: Mapping[str, str] | None = None) -> bool:
    """Whether `aistore_patch.short_way` may be used: unless `AISTORE_PATCH_SHORT_WAY` is `0`.

    Args:
        environ: the variables to read, `os.environ` by default.

    Raises:
        PolicyError: the variable is no switch.
    """
    name = f"{ENVIRONMENT_PREFIX}SHORT_WAY"
    return _read_switch(name, (os.environ if environ is None else environ).get(name, "1").strip())


class _Hosts:
    """A list of hosts to compare with, read once."""

    def __init__(self, entries: tuple[str, ...]) -> None:
        self._names: set[str] = set()
        self._suffixes: list[str] = []
        self._networks: list[Any] = []
        for entry in entries:
            self._add(entry)
        self._suffix_tuple = tuple(self._suffixes)

    def _add(self, entry: object) -> None:
        text = entry.strip().lower().rstrip(".") if isinstance(entry, str) else ""
        network = _network(text)
        if network is not None:
            self._networks.append(network)
        elif text.startswith("*.") and _is_name(text[2:]):
            self._suffixes.append(text[1:])
        elif _is_name(text):
            self._names.add(text)
        else:
            raise PolicyError(
                f"allow_hosts has {entry!r}; a name (target1.example), a pattern (*.example), an address (10.0.0.7) "
                "or a network (10.0.0.0/8) is expected, without scheme and port"
            )

    def allow(self, host: str) -> bool:
        host = host.lower().rstrip(".")
        if host in self._names or host.endswith(self._suffix_tuple or ("\0",)):
            return True
        address = _address(host)
        return address is not None and any(address in network for network in self._networks)


def _is_name(text: str) -> bool:
    labels = text.split(".")
    numeric = labels[-1].isdigit()  # would be an address, and as one it is malformed
    return (
        not numeric
        and all(label and all(c.isalnum() or c in "-_" for c in label) for label in labels)
        and text.isascii()
    )


def _network(text: str) -> Any:
    import ipaddress  # imported by need: without allow_hosts nobody pays for it

    try:
        network = ipaddress.ip_network(text.strip("[]"))
    except ValueError:
        return None
    return network


def _address(host: str) -> Any:
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    # ::ffff:10.0.0.7 is 10.0.0.7 on the wire (RFC 4291 section 2.5.5.2)
    return getattr(address, "ipv4_mapped", None) or address


def _listed(name: str, of_what: str, values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, (str, bytes)):
        raise PolicyError(f"{name} is the text {values!r}; a list of {of_what} is expected")
    try:
        return tuple(values)
    except TypeError:
        raise PolicyError(f"{name} is {values!r}; a list of {of_what} is expected") from None


def _read_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise PolicyError(f"{name} is {text!r}; a whole number, 0 or more, is expected")
    return int(text)


def _read_hosts(name: str, text: str) -> tuple[str, ...]:
    hosts = tuple(text.replace(",", " ").split())
    if not hosts:
        raise PolicyError(
            f"{name} is empty; a list of hosts separated by commas is expected (unset it to allow every host)"
        )
    return hosts


def _read_names(_name: str, text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _read_switch(name: str, text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise PolicyError(f"{name} is {text!r}; 1 or 0 is expected")
    return text.lower() in _TRUE


_READERS: dict[str, Callable[[str, str], Any]] = {
    "max_hops": _read_number,
    "allow_hosts": _read_hosts,
    "allow_downgrade": _read_switch,
    "honoured": _read_names,
    "short_way": _read_switch,
}
