"""S3's XML: written as nested pairs of tag and content, read without its namespaces."""

from __future__ import annotations

from typing import List, Sequence, Tuple, Union
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ..wire import Response
from .errors import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

Node = Tuple[str, Union[str, int, "Sequence[Node]"]]
Nodes = List[Node]


def document(root: str, nodes: Sequence[Node], status: int = 200) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{_render(nodes)}</{root}>'
    return Response(status, [("Content-Type", "application/xml")], text.encode("utf-8", "surrogateescape"))


def _render(nodes: Sequence[Node]) -> str:
    return "".join(
        f"<{tag}>{_render(content) if isinstance(content, (list, tuple)) else escape(str(content))}</{tag}>"
        for tag, content in nodes
    )


def parsed(data: bytes | None) -> ElementTree.Element:
    """The root of a document that a client sent."""
    try:
        root = ElementTree.fromstring(data or b"")
    except ElementTree.ParseError:
        raise S3Error(400, "MalformedXML", "the XML you provided was not well-formed") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
