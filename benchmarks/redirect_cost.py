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
from contextlib import contextmanager
from functools import partial
from typing import Any, Callable, Iterator

import boto3
import botocore
import botocore.config

import aistore_patch

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


def main() -> None:
    parser = argparse.ArgumentParser(description="ratios of what redirects cost")
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    print(f"botocore {botocore.__version__}, Python {sys.version.split()[0]}, {rounds} rounds of {CALLS} calls")
    with cluster(2) as (proxy, targets):
        plain, followed = client_of(targets[0] + "/s3"), aistore_patch.follow_redirects(client_of(proxy))
        direct = aistore_patch.follow_redirects(client_of(targets[0] + "/s3"))
        for name, operation in OPERATIONS.items():
            OPERATIONS["PUT"](followed, "k")
            calls = [partial(operation, client, "k") for client in (plain, followed, direct)]
            one, redirected, without = in_turn(rounds, *calls)
            print(
                f"{name:5} redirected / two plain {redirected / one / 2:.2f} (at most 0.75)   "
                f"without redirect, patched / unpatched {without / one:.2f} (at most 1.01)   plain {one * 1e3:.2f} ms"
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
