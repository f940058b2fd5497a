"""The results as a badge: the answer of an endpoint as https://shields.io/badges/endpoint-badge reads it."""

from __future__ import annotations

import json

from boto_matrix.report.contents import Contents

_LABEL = "boto3 matrix"


def badge(contents: Contents) -> str:
    """Give the JSON of the badge."""
    message, colour = _message(contents)
    answer = {"schemaVersion": 1, "label": _LABEL, "message": message, "color": colour}
    return json.dumps({**answer, "isError": True} if contents.run.failures else answer) + "\n"


def _message(contents: Contents) -> tuple[str, str]:
    if not contents.ran:
        return "not run", "lightgrey"
    if contents.run.failures:
        return f"{len(contents.run.failures)} of {contents.ran} failing", "red"
    if not contents.run.finished:
        return f"{contents.passed} passing so far", "yellow"
    return f"{contents.passed} passing", "brightgreen"
