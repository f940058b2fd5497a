"""What the doctor found: one line each, in plain words, with what to do."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

OK = "ok"
NOTE = "note"
WARNING = "warning"
PROBLEM = "problem"


class Finding(NamedTuple):
    """One thing that was found.

    Args:
        level: `OK`, `NOTE` (worth knowing), `WARNING` (goes wrong for those who use it) or `PROBLEM` (goes wrong).
        about: what it is about, such as `botocore`, `policy.max_hops`, `target`; stable, for programs.
        text: what was found, a sentence without its full stop.
        do: what to do about it, another one; empty where there is nothing to do.
    """

    level: str
    about: str
    text: str
    do: str = ""

    def __str__(self) -> str:
        return f"{self.level:8}{self.about}: {self.text}" + (f". {self.do}" if self.do else "")

    def as_json(self) -> dict[str, str]:
        """For `json.dumps`."""
        return self._asdict()


_USER = re.compile(r"//[^/@\s\"'<>]*@")
_QUERY = re.compile(r"\?[^\s\"'<>)]+")


def plain(text: Any) -> str:
    """What another program says, in one line, without the queries and the users of URLs: both may be secrets."""
    line = " ".join(str(text).split())
    line = _QUERY.sub("?...", _USER.sub("//...@", line))
    line = ascii(line)[1:-1].replace("\\'", "'")
    return line if len(line) <= 400 else line[:400] + "..."
