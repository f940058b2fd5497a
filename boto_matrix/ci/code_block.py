"""What a program said, in Markdown."""

from __future__ import annotations

import re


def code_block(text: str) -> str:
    """Show text as it is, whatever is in it: nothing of it is Markdown or HTML, and no name in it calls anybody."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"
