"""`python -m tests.cluster`: a simulated AIStore cluster to try things on."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Callable

from . import Cluster, Redirects
from .ledger import Entry

ENDS = {signal.SIGINT, signal.SIGTERM}
SNIPPET = """\
from aistore_patch import botocore  # leave this line out to see what boto3 does without the patch
import boto3

s3 = boto3.client(
    "s3",
    endpoint_url="{endpoint}",
    region_name="us-east-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
)
s3.put_object(Bucket="{bucket}", Key="hello", Body=b"world")
print(s3.get_object(Bucket="{bucket}", Key="hello")["Body"].read())
"""


def main(arguments: list[str] | None = None) -> int:
    """Serve a cluster until Ctrl-C or SIGTERM; the endpoint is the first line of the output."""
    options = _parser().parse_args(arguments)
    # Before there are threads, which inherit it: the signals then wait for sigwait.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        with _cluster(options) as cluster:
            cluster.store.create_bucket(options.bucket)
            _introduce(cluster, options.bucket)
            signal.sigwait(ENDS)
    except OSError as problem:
        print(f"cannot listen: {problem}; is the port taken, or an address not there?", file=sys.stderr)
        return 1
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    return 0


def _introduce(cluster: Cluster, bucket: str) -> None:
    print(f"endpoint {cluster.endpoint_url}")
    for target in cluster.targets:
        print(f"{target.name}  {target.url}")
    snippet = SNIPPET.format(endpoint=cluster.endpoint_url, bucket=bucket)
    print(f"\nTry it, in another terminal:\n\n{snippet}\nCtrl-C ends it.", flush=True)


def _cluster(options: argparse.Namespace) -> Cluster:
    redirects = Redirects(
        status=options.status,
        hops=options.hops,
        faithful_location=options.faithful_location,
        strict_path=not options.lenient,
        signed=options.signed,
    )
    return Cluster(
        options.targets,
        honours=options.honours,
        s3_api_via_root=options.s3_api_via_root,
        port=options.port,
        own_addresses=options.own_addresses,
        redirects=redirects,
        direct_access=options.direct_access,
        keeps_up_to=options.keeps_up_to,
        remembers=0,
        on_answer=_show if options.show else None,
    )


def _show(entry: Entry) -> None:
    status = entry.status or "no answer"
    print(f"{entry.node:9} {entry.method:6} {entry.target.decode('latin-1')} → {status}", flush=True)


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return int(text)

    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--targets", type=_between(1, 250), default=3, metavar="N", help="how many targets (default 3)")
    parser.add_argument(
        "--port",
        type=_between(0, 65535),
        metavar="PORT",
        default=0,
        help="of the gateway (default: any free one)",
    )
    parser.add_argument("--bucket", default="demo", help="a bucket that is there from the start (default demo)")
    parser.add_argument("--show", action="store_true", help="print every request and its status")
    parser.add_argument("--status", type=int, choices=(301, 302, 307, 308), default=307, help="of redirects")
    parser.add_argument(
        "--hops", type=_between(1, 1000), default=1, metavar="N", help="redirects before the answer (default 1)"
    )
    parser.add_argument("--faithful-location", action="store_true", help="escape keys properly, as AIStore does not")
    parser.add_argument(
        "--lenient", action="store_true", help="check a redirected request's query only, as AIStore does"
    )
    parser.add_argument("--signed", action="store_true", help="sign redirects, and refuse what was not signed")
    parser.add_argument(
        "--honours",
        choices=("aistore", "s3"),
        default="aistore",
        help="ignore most of what S3 means, as AIStore does (default), or do it",
    )
    parser.add_argument("--s3-api-via-root", action="store_true", help="answer at / as well as at /s3")
    parser.add_argument("--direct-access", action="store_true", help="targets answer requests without a redirect too")
    parser.add_argument("--own-addresses", action="store_true", help="targets at 127.0.0.2, 127.0.0.3 … (Linux)")
    parser.add_argument(
        "--keeps-up-to", type=_between(0, 1 << 40), metavar="BYTES", help="hash longer objects instead of keeping them"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
