"""`python -m aistore_patch`: run programs patched, patch an environment, find out why something does not work."""

from __future__ import annotations

import argparse
import sys
from typing import Sequence

from .policy import PolicyError, RedirectPolicy, short_way_is_on

FINE = 0
PROBLEMS = 1
USAGE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        arguments: the words after the program's name, `sys.argv` by default.

    Returns:
        The exit code: 0 fine, 1 problems, 2 a mistake in the command line or the environment. `run` returns only where
        it fails: with 126 or 127, as a shell does.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["run"] and words[1:2] not in ([], ["-h"], ["--help"]):  # what follows is not for argparse to read
        return _run(words[2:] if words[1] == "--" else words[1:])
    options = _parser().parse_args(words)
    code: int = options.do(options)
    return code


def _run(words: Sequence[str]) -> int:
    from .program.run import CannotRun, run

    if not words:
        return _failed("run: which program? Write: python -m aistore_patch run -- PROGRAM ARGS", USAGE)
    try:
        RedirectPolicy.from_environment()  # said now rather than by a traceback of the program
        short_way_is_on()
        run(words)
    except PolicyError as error:
        return _failed(f"run: {error}", USAGE)
    except CannotRun as error:
        return _failed(f"run: {error}", error.code)


def _install(options: argparse.Namespace) -> int:
    from .program import install

    try:
        print(install.uninstall() if options.command == "uninstall" else install.install())
    except install.CannotInstall as error:
        return _failed(f"{options.command}: {error}", PROBLEMS)
    return FINE


def _doctor(options: argparse.Namespace) -> int:
    from .program.doctor import Usage, doctor

    try:
        return FINE if doctor(options.endpoint, options.bucket, options.write, options.json) else PROBLEMS
    except Usage as error:
        return _failed(f"doctor: {error}", USAGE)
    except KeyboardInterrupt:
        return _failed("doctor: interrupted", INTERRUPTED)


def _failed(message: str, code: int) -> int:
    print(f"aistore_patch {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m aistore_patch", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    run = commands.add_parser(
        "run",
        usage="python -m aistore_patch run [--] PROGRAM ARGS ...",
        help="run a program patched, and the Pythons that it starts",
        description="PROGRAM is a command, a Python script (x.py), or -m and a module.",
    )
    run.set_defaults(do=lambda _: _run([]))
    for name, what in (
        ("install", "patch every program of this environment, from its next start"),
        ("uninstall", "remove what install wrote"),
    ):
        commands.add_parser(name, help=what, description=what).set_defaults(do=_install)
    doctor = commands.add_parser(
        "doctor",
        help="find out why something does not work, and what to do",
        description="Exit code: 0 fine, 1 problems, 2 usage. Reads only, unless --write is given.",
    )
    doctor.add_argument("--endpoint", metavar="URL", help="look at this endpoint as well: http://GATEWAY:PORT/s3")
    doctor.add_argument("--bucket", help="a bucket to ask for objects that are not there (default: the first listed)")
    doctor.add_argument(
        "--write",
        action="store_true",
        help="try with objects of its own in the bucket what the cluster honours, and remove them",
    )
    doctor.add_argument("--json", action="store_true", help="print one JSON document")
    doctor.set_defaults(do=_doctor)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
