"""A pytest plugin for the runs here: hypothesis repeats itself, and coverage knows which test runs a line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

_EXAMPLES = 25


def pytest_collection() -> None:
    """Try few examples, the same ones each time, and make nothing smaller: that it fails is enough."""
    if "hypothesis" in sys.modules:
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants", derandomize=True, database=None, deadline=None, phases=phases, max_examples=_EXAMPLES
        )
        settings.load_profile("mutants")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Count what is run from here on as run by this test, whatever its parameters."""
    if "coverage" in sys.modules:
        from coverage import Coverage

        test = os.environ["MUTANTS_TEST"] = item.nodeid.partition("[")[0]  # for the processes that it starts
        measuring = Coverage.current()
        if measuring is not None:
            measuring.switch_context(test)
    return (yield)
