"""What a redirect costs: each figure is a ratio of medians measured in turn, in one run.

    python -m benchmarks.redirect_cost [--rounds 40]

The cluster runs in a process of its own. "Two plain requests" are two requests of an unpatched botocore, of the same
kind, to a target of the same cluster.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import time
import timeit
from contextlib import contextmanager
from functools import partial
from typing import Any, Callable, Iterator

import boto3
import botocore
import botocore.config

import aistore_patch
from aistore_patch import guard

BUCKET = "bench"
BODY = b"x" * 1024
CALLS = 10  # in a round

Operation = Callable[[Any, str], Any]
OPERATIONS: dict[str, Operation] = {
    "GET": lambda client, key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read(),
    "HEAD": lambda client, key: client.head_object(Bucket=BUCKET, Key=key),
    "PUT": lambda client, key: client.put_object(Bucket=BUCKET, Key=key, Body=BODY),
}


@contextmanager
def cluster(targets: int) -> Iterator[tuple[str, list[str]]]:
    """A cluster in another process: the URLs of its proxy and of its targets."""
    command = [sys.executable, "-m", "tests.cluster", "--targets", str(targets), "--bucket", BUCKET, "--direct-access"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline().split() for _ in range(targets + 1)]
            yield lines[0][1], [line[1] for line in lines[1:]]
        finally:
            process.terminate()


def client_of(url: str) -> Any:
    config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0})
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=url, config=config, **keys)


def round_of(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - started) / CALLS


def in_turn(rounds: int, *calls: Callable[[], Any]) -> list[float]:
    """The median seconds of each call, the rounds of one between those of the others."""
    for call in calls:
        round_of(call)
    times = [[round_of(call) for call in calls] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times)]


def head_next(client: Any, keys: Iterator[str]) -> None:
    client.head_object(Bucket=BUCKET, Key=next(keys))


MOST = {"GET": (0.70, 0.90), "HEAD": (0.70, 0.90), "PUT": (0.75, 1.10)}
"""Redirected / two plain: at most so much with the short way, and without it."""


def followers(proxy: str) -> tuple[Any, Any]:
    """Two clients that follow redirects, and have followed one: by the short way, and without it."""
    short, long = (aistore_patch.follow_redirects(client_of(proxy)) for _ in range(2))
    for client in (short, long):
        OPERATIONS["PUT"](client, "k")
    # The short way serves sessions of this very class alone; the switch is of the process, and they are timed in turn.
    session = long._endpoint.http_session
    session.__class__ = type("Session", (type(session),), {})
    return short, long


def cost_of_the_guard() -> float:
    """Seconds that it takes to judge a plain PUT."""
    headers = ["user-agent", "expect", "content-md5", "content-length", "x-amz-date", "x-amz-content-sha256"] * 2
    call = guard.Call("PutObject", "PUT", headers, set(), b"shards/shard-000001.tar")
    return min(timeit.repeat(lambda: guard.check(call), number=1000)) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description="ratios of what redirects cost")
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    print(f"botocore {botocore.__version__}, Python {sys.version.split()[0]}, {rounds} rounds of {CALLS} calls")
    with cluster(2) as (proxy, targets):
        plain = client_of(targets[0] + "/s3")
        direct = aistore_patch.follow_redirects(client_of(targets[0] + "/s3"))
        short, long = followers(proxy)
        for name, operation in OPERATIONS.items():
            calls = [partial(operation, client, "k") for client in (plain, short, long, direct)]
            one, by_short, by_long, without = in_turn(rounds, *calls)
            most_short, most_long = MOST[name]
            print(
                f"{name:5} redirected / two plain {by_short / one / 2:.2f} (at most {most_short:.2f}), without the "
                f"short way {by_long / one / 2:.2f} (at most {most_long:.2f})   "
                f"not redirected, patched / unpatched {without / one:.2f} (0.99 to 1.01)   plain {one * 1e3:.2f} ms   "
                f"guard {100 * cost_of_the_guard() / by_short:.2f} % of a redirected call (at most 1)"
            )
    with cluster(2) as (small, _), cluster(64) as (large, _):
        calls = [partial(head_next, *filled(proxy)) for proxy in (small, large)]
        two, sixty_four = in_turn(2 * rounds, *calls)
    print(f"HEAD  64 targets / 2 targets {sixty_four / two:.2f}")


def filled(proxy: str) -> tuple[Any, Iterator[str]]:
    """A client of a cluster, and the keys, over and over, of what it has put on all targets."""
    client = aistore_patch.follow_redirects(client_of(proxy))
    keys = [str(number) for number in range(256)]
    for key in keys:
        client.put_object(Bucket=BUCKET, Key=key, Body=BODY)
    return client, itertools.cycle(keys)


if __name__ == "__main__":
    main()
