"""`python -m aistore_patch doctor`: finds out why S3 on AIStore does not work here, and says what to do."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
from typing import Any, Generator, Iterable, Iterator, NoReturn
from urllib.parse import urlsplit

from ...policy import PolicyError, RedirectPolicy
from . import environment
from .finding import PROBLEM, Finding, plain

SECONDS = 10
"""How long the doctor looks at an endpoint at most; what it writes with `--write` comes after that."""


class Usage(Exception):
    """A mistake in the command line."""


def doctor(endpoint: str | None, bucket: str | None, write: bool, as_json: bool) -> bool:
    """Look, and print what is found.

    Args:
        endpoint: the URL of an endpoint to look at; None: only at this environment.
        bucket: a bucket there.
        write: whether to try, with objects of its own in the bucket, what this cluster honours.
        as_json: whether to print one JSON document instead of a line a finding.

    Returns:
        Whether there is no problem.

    Raises:
        Usage: the arguments do not fit together.
    """
    _check(endpoint, bucket, write)
    found = []
    with contextlib.closing(_findings(endpoint, bucket, write)) as findings:  # what was written goes, whatever happens
        for finding in findings:
            found.append(finding)
            if not as_json:
                print(finding, flush=True)
    problems = sum(finding.level == PROBLEM for finding in found)
    if as_json:
        json.dump({"problems": problems, "findings": [one.as_json() for one in found]}, sys.stdout, indent=2)
        print()
    else:
        print(f"{problems} problem{'' if problems == 1 else 's'} found")
    return not problems


def _check(endpoint: str | None, bucket: str | None, write: bool) -> None:
    if endpoint is None and (bucket is not None or write):
        raise Usage("--bucket and --write are about an endpoint: add --endpoint http://GATEWAY:PORT/s3")
    if write and bucket is None:
        raise Usage("--write writes to a bucket: name it with --bucket")
    if endpoint is None:
        return
    try:
        parts = urlsplit(endpoint)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or parts.query or parts.fragment:
        raise Usage(f"--endpoint is {plain(endpoint)}; http://GATEWAY:PORT/s3 is expected")


def _findings(endpoint: str | None, bucket: str | None, write: bool) -> Generator[Finding, None, None]:
    yield from environment.findings(os.environ)
    if endpoint is None:
        return
    try:
        policy = RedirectPolicy.from_environment()
    except PolicyError:
        return  # told already; with the hook installed, botocore cannot even be imported now
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")  # to ask for it takes long where there is none
    from .gateway import Gateway

    gateway = Gateway(endpoint, bucket, policy)
    out_of_time = f"{gateway.shown} could not be looked at to the end within {SECONDS} s"
    last = Finding(
        PROBLEM, "endpoint", out_of_time, "Check that this machine resolves its name, and reaches it and its targets"
    )
    yield from within(SECONDS, gateway.findings(), last)
    if write:
        from .honours import findings

        signal.signal(signal.SIGTERM, _end)
        yield from findings(gateway)


def _end(number: int, _frame: Any) -> NoReturn:
    raise SystemExit(128 + number)  # so that what was written is removed


def within(seconds: float, findings: Iterable[Finding], last: Finding) -> Iterator[Finding]:
    """The findings that come in time, and then `last` if there may be more.

    They are looked for in a thread, which is left behind: a look-up of a name cannot be ended.
    """
    arrived: queue.Queue[Finding | None] = queue.Queue()

    def look() -> None:
        try:
            for finding in findings:
                arrived.put(finding)
        except Exception as error:  # a fault of ours, which must not look like a silent network
            arrived.put(Finding(PROBLEM, "doctor", f"could not go on: {type(error).__name__}: {plain(error)}"))
        arrived.put(None)

    threading.Thread(target=look, daemon=True).start()
    end = threading.Timer(seconds, arrived.put, (last,))
    end.daemon = True
    end.start()
    while True:
        finding = arrived.get()
        if finding is not None:
            yield finding
        if finding is None or finding is last:
            end.cancel()
            return
