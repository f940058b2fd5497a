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
