"""S3's XML, written as nested pairs of tag and content."""

from __future__ import annotations

from typing import List, Sequence, Tuple, Union

from ..wire import Response

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
AISTORE = "http://s3.amazonaws.com/doc/2006-03-01"
"""The same as AIStore writes it."""

Node = Tuple[str, Union[str, int, "Sequence[Node]"]]
Nodes = List[Node]

# As Go's encoding/xml escapes text.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)


def document(root: str, nodes: Sequence[Node], namespace: str = NAMESPACE) -> Response:
    """A 200 with a document; `namespace` is empty for none."""
    return Response(200, [("Content-Type", "application/xml")], written(root, nodes, namespace))


def written(root: str, nodes: Sequence[Node], namespace: str = "") -> bytes:
    attribute = f' xmlns="{namespace}"' if namespace else ""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{attribute}>{_render(nodes)}</{root}>'
    return text.encode("utf-8", "surrogateescape")


def _render(nodes: Sequence[Node]) -> str:
    return "".join(
        f"<{tag}>{_render(content) if isinstance(content, (list, tuple)) else str(content).translate(_ESCAPES)}</{tag}>"
        for tag, content in nodes
    )
