"""The results as a badge: the answer of an endpoint as https://shields.io/badges/endpoint-badge reads it."""

from __future__ import annotations

import json

from boto_matrix.report.model import Report

_LABEL = "boto3 matrix"


def badge(report: Report) -> str:
    """Give the JSON of the badge."""
    message, colour = _message(report)
    answer = {"schemaVersion": 1, "label": _LABEL, "message": message, "color": colour}
    return json.dumps({**answer, "isError": True} if report.run.failures else answer) + "\n"


def _message(report: Report) -> tuple[str, str]:
    if not report.ran:
        return "not run", "lightgrey"
    if report.run.failures:
        return f"{len(report.run.failures)} of {report.ran} failing", "red"
    if not report.run.finished:
        return f"{report.passed} passing so far", "yellow"
    return f"{report.passed} passing", "brightgreen"
