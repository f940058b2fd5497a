"""What every test here stands on: loopback only, and an AWS environment that is nobody's."""

from __future__ import annotations

import os
import signal

import hypothesis
import pytest

from tests.loopback_only import allow_loopback_only

pytest_plugins = ["tests.process_per_file", "tests.cell_report"]

# What pytest-socket lets pass. It reads the list again for each test, and before 0.8 it knows no networks: few.
_LOOPBACK = ["localhost", "127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"]

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDTESTS",
    "AWS_SECRET_ACCESS_KEY": "only-for-tests",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.hookimpl(tryfirst=True)  # before pytest-socket reads its option
def pytest_configure(config: pytest.Config) -> None:
    config.option.allow_hosts = ",".join(_LOOPBACK)
    allow_loopback_only()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in `make test &` in a script; some tests interrupt
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _replace_aws_environment() -> None:
    """Forget what the user has set for AWS, for proxies and for the patch: a test must not depend on it."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_", "MOTO_", "AISTORE_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(_ENVIRONMENT)


# No test is timed: a machine may be busy.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

_replace_aws_environment()  # now: the conftest.py of a directory may import moto, which reads it
