"""What is watched is there to be watched, in this botocore or another."""

from __future__ import annotations

import pytest

from aistore_patch import surface

NAMES = (*surface.FUNCTIONS, *surface.URLLIB3_FUNCTIONS, *surface.PYTHON_FUNCTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_of_a_module_that_exists_and_stands_there_once(name: str) -> None:
    module, colon, path = name.partition(":")
    assert colon
    assert path
    pytest.importorskip(module)  # an older botocore has no httpchecksum
    assert NAMES.count(name) == 1


def test_a_name_that_is_watched_no_more_is_meant_to_be() -> None:
    """Nothing else would notice: a release that changes what nobody watches changes nothing."""
    watched = (surface.FUNCTIONS, surface.URLLIB3_FUNCTIONS, surface.PYTHON_FUNCTIONS)
    assert tuple(map(len, watched)) == (37, 22, 12)
    assert surface.CONTEXT_KEYS == ("client_config",)
