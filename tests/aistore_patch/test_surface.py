"""What is watched is there to be watched, in this botocore or another."""

from __future__ import annotations

import importlib

import pytest

from aistore_patch import surface

NAMES = (*surface.FUNCTIONS, *surface.URLLIB3_FUNCTIONS, *surface.PYTHON_FUNCTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_of_a_module_that_exists_and_stands_there_once(name: str) -> None:
    module, colon, path = name.partition(":")
    assert colon
    assert path
    importlib.import_module(module)
    assert NAMES.count(name) == 1
