"""What the page answers for releases that are no row of it, as plain values: read when one is searched for."""

from __future__ import annotations

from typing import Any

from packaging.version import Version

from boto_matrix.matrix.numbering import LATEST, oldest_botocore
from boto_matrix.supported.knowledge import Knowledge
from boto_matrix.supported.spans import Span, spans


def answers(known: Knowledge | None) -> dict[str, Any] | None:
    """Give the answers for each botocore, and the botocore that each minor of boto3 was released with."""
    if known is None or known.newest is None:
        return None
    texts: dict[str, int] = {}
    found = [_span(one, texts) for one in spans(known)]
    if not found:
        return None
    boto3s = {Version(pin.boto3).release[:2] for pin in known.matrix.pins if pin.boto3 != LATEST}
    series = {f"{major}.{minor}": _series(major, minor) for major, minor in sorted(boto3s)}
    return {"spans": found, "texts": [*texts], "series": series, "newest": str(known.newest)}


def _span(span: Span, texts: dict[str, int]) -> dict[str, Any]:
    on = {
        reply.question.python: [
            "left out" if reply.is_left_out else reply.answer.value,
            texts.setdefault(reply.because, len(texts)),
            [cell.name for cell in reply.cells],
        ]
        for reply in span.replies
    }
    alike = next((reply.alike for reply in span.replies if reply.alike is not None), None)
    same = {} if alike is None else {"same": [str(one) for one in alike]}
    return {"from": list(span.first.release), "to": list(span.last.release), "on": on, **same}


def _series(major: int, minor: int) -> str:
    return ".".join(map(str, oldest_botocore(Version(f"{major}.{minor}.1")).release[:2]))
