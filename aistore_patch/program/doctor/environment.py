"""What the doctor finds without asking anybody: versions, limits, and clients that the patch does not cover."""

from __future__ import annotations

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Iterator, Mapping, NamedTuple

from ... import UnsupportedBotocoreError, patched
from ...policy import ENVIRONMENT_PREFIX, PolicyError, RedirectPolicy, short_way_is_on
from .. import install
from .finding import NOTE, OK, PROBLEM, WARNING, Finding

SHOWN = ("boto3", "botocore", "urllib3", "aiobotocore", "s3fs")


class Uncovered(NamedTuple):
    """A client of S3 that the patch does not reach.

    Args:
        package: what it is installed as.
        does: what it does with AIStore's redirects.
        instead: the way out.
        since: the first major version that does.
    """

    package: str
    does: str
    instead: str
    since: int = 0


_BY_ITSELF = "it speaks S3 by itself, and follows redirects unsigned or not at all"
_WITH_BOTO3 = "Read the objects with boto3, and hand it the bytes or the files"

UNCOVERED = (
    Uncovered(
        "pyarrow",
        "its own S3 file system takes a redirect's length for the object's and reads wrong bytes",
        "Give it a file system of s3fs, or files opened with boto3",
        17,
    ),
    Uncovered("polars", _BY_ITSELF, _WITH_BOTO3),
    Uncovered("duckdb", _BY_ITSELF, _WITH_BOTO3),
    Uncovered("obstore", _BY_ITSELF, _WITH_BOTO3),
    Uncovered("s3torchconnector", _BY_ITSELF, _WITH_BOTO3),
    Uncovered(
        "awscrt",
        "boto3 makes transfers with it on some machines, without botocore's HTTP",
        'Use TransferConfig(preferred_transfer_client="classic")',
    ),
)
"""Measured or read; pyarrow first, since it loses data without a word."""


def findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at this Python and its packages.

    Args:
        environ: the variables of the environment.
    """
    yield Finding(OK, "python", f"Python {platform.python_version()} at {sys.executable}")
    yield from _versions()
    yield _support()
    yield from _policy(environ)
    yield _hook()
    yield from _uncovered()


def _versions() -> Iterator[Finding]:
    for package in SHOWN:
        found = _version(package)
        if found is not None:
            yield Finding(OK, package, f"version {found}")
        elif package == "boto3":
            yield Finding(NOTE, package, "not installed; the patch needs botocore alone")


def _support() -> Finding:
    try:
        with patched(RedirectPolicy()):
            return Finding(OK, "support", "the patch knows this botocore")
    except UnsupportedBotocoreError as error:
        do = "Install a botocore that the patch knows, or a newer aistore-patch"
        return Finding(PROBLEM, "support", f"the patch does not know this botocore: {error}", do)
    except PolicyError:  # of the environment, which is told with the others
        return Finding(NOTE, "support", "not looked at, since the environment has a mistake")


def _policy(environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        policy = RedirectPolicy.from_environment(environ)
        short_way = short_way_is_on(environ)
    except PolicyError as error:
        do = "Correct or unset it: until then the patch raises this error instead of patching"
        yield Finding(PROBLEM, "policy", str(error), do)
        return
    values = {
        "max_hops": str(policy.max_hops),
        "allow_hosts": "every host" if policy.allow_hosts is None else ", ".join(policy.allow_hosts),
        "allow_downgrade": "yes" if policy.allow_downgrade else "no",
        "honoured": ", ".join(sorted(policy.honoured)) or "nothing more",
        "short_way": "on" if short_way else "off",
    }
    for name, value in values.items():
        variable = f"{ENVIRONMENT_PREFIX}{name.upper()}"
        source = f"from {variable}" if variable in environ else f"the default; {variable} is not set"
        yield Finding(OK, f"policy.{name}", f"{value} ({source})")


def _hook() -> Finding:
    site = install.site_packages()
    if not (site / install.STARTS).exists():
        do = "python -m aistore_patch install does so, and run patches one program"
        return Finding(NOTE, "hook", "programs of this environment are not patched by themselves", do)
    if not install.is_current():
        return Finding(
            PROBLEM, "hook", f"{site / install.HOOK} is not this version's", "Run python -m aistore_patch install"
        )
    return Finding(OK, "hook", f"every program of this environment is patched ({site / install.STARTS})")


def _uncovered() -> Iterator[Finding]:
    for client in UNCOVERED:
        found = _version(client.package)
        if found is not None and _major(found) >= client.since:
            text = f"version {found} is installed and not covered by the patch: {client.does}"
            yield Finding(WARNING, f"client.{client.package}", text, client.instead)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _major(text: str) -> int:
    digits = re.match("[0-9]+", text)
    return int(digits[0]) if digits else sys.maxsize  # what cannot be read is taken for a new one
