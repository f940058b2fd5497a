"""Hands tox the harness's plugin."""

from __future__ import annotations

from boto_matrix.running.tox_plugin import (
    tox_add_core_config,
    tox_after_run_commands,
    tox_before_run_commands,
    tox_extend_envs,
    tox_register_tox_env,
)

__all__ = [
    "tox_add_core_config",
    "tox_after_run_commands",
    "tox_before_run_commands",
    "tox_extend_envs",
    "tox_register_tox_env",
]
