"""The results as a badge: the answer of an endpoint as https://shields.io/badges/endpoint-badge reads it."""

from __future__ import annotations

import json

from boto_matrix.report.model import Report

_LABEL = "boto3 matrix"


def badge(report: Report) -> str:
    """Give the JSON of the badge."""
    message, colour = _message(report)
    instead = "".join(f" {name}={value}" for name, value in report.run.overrides.items())
    answer = {"schemaVersion": 1, "label": f"{_LABEL}{instead}", "message": message, "color": colour}
    return json.dumps({**answer, "isError": True} if report.standing.is_red else answer) + "\n"


def _message(report: Report) -> tuple[str, str]:
    stand = report.standing
    passed, failed = len(stand.passed), len(stand.failed)
    if stand.is_red:
        return f"{failed} of {passed + failed} failing", "red"
    if stand.is_green:
        return f"{passed} passing", "brightgreen"
    return (f"{passed} of {stand.total} passing", "yellow") if passed else ("not run", "lightgrey")
