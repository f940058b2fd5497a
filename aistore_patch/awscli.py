"""The AWS CLI (version 1) as a user of the patch. In `~/.aws/config`:

[plugins]
aistore = aistore_patch.awscli
"""

from __future__ import annotations

from typing import Any

from .patching import patch


def awscli_initialize(event_hooks: Any) -> None:  # noqa: ARG001 - the AWS CLI calls it so (awscli `plugin.load_plugins`)
    """Patch the process of the AWS CLI, with the limits of the environment.

    Raises:
        UnsupportedBotocoreError, PolicyError: as `patch` does.
    """
    patch()
