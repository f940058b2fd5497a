"""Which index packages come from: uv is told of pip's where it has none itself, so that there is one for all.

uv installs, and does not read pip's settings (https://docs.astral.sh/uv/pip/compatibility/). As a program this runs a
command with what uv is to be told. `make setup` does so before anything is installed, so that here is Python's standard
library only::

    python -m boto_matrix.releases.index_settings uv pip install …
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_OF_UV = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
_NOT_HANDED_ON = {
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "no-index": ("UV_NO_INDEX",),
}
_SECTIONS = ("global", "install")  # of pip's files; the later goes before the earlier
_ON = {"1", "true", "yes", "on"}


def index_url(environ: Mapping[str, str] = os.environ) -> str | None:
    """Give the address of the index that packages come from, if one is named anywhere.

    What counts is, in that order, UV_DEFAULT_INDEX, UV_INDEX_URL, uv's configuration files, PIP_INDEX_URL, and pip's
    configuration files.
    """
    named = _first(environ, _OF_UV) or _index_in_files_of_uv(environ) or _setting_of_pip("index-url", environ)
    return re.sub(r"^[\w.-]+=", "", named) if named else None  # uv: "name=address" names the index


def for_uv(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the variables that uv needs beside those it has, so that it installs from that index."""
    if _first(environ, _OF_UV) or _index_in_files_of_uv(environ):
        return {}
    index = _setting_of_pip("index-url", environ)
    return {_OF_UV[0]: index} if index else {}


def ignored(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Say which settings of pip change nothing here, a sentence each; none of what uv is told in its own way."""
    return [
        f"pip's {name} is not used: uv installs, and reads {' or '.join(variables)}"
        for name, variables in _NOT_HANDED_ON.items()
        if not _first(environ, variables) and _setting_of_pip(name, environ)
    ]


def _first(environ: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((value for name in names if (value := environ.get(name, "").strip())), None)


def _setting_of_pip(name: str, environ: Mapping[str, str]) -> str | None:
    """Read a setting as pip does: from its variable, or else from its files."""
    given = environ.get(f"PIP_{name.upper().replace('-', '_')}", "").strip()
    found = [given] if given else [value for path in _files_of_pip(environ) for value in _in_file_of_pip(name, path)]
    return found[-1] if found and found[-1].lower() not in ("0", "false", "no", "off") else None


def _files_of_pip(environ: Mapping[str, str]) -> Iterator[Path]:
    """Give pip's configuration files, what counts most last (https://pip.pypa.io/en/stable/topics/configuration/)."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = Path(environ.get("HOME") or Path.home())
    for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    yield Path(sys.prefix, "pip.conf")
    if named:
        yield Path(named)


def _in_file_of_pip(name: str, path: Path) -> Iterator[str]:
    file = configparser.RawConfigParser()
    try:
        file.read(path, encoding="utf-8")
    except (OSError, ValueError, configparser.Error):  # ValueError: not UTF-8. That it is damaged is pip's to say
        return
    for section in _SECTIONS:
        for key in (name, name.replace("-", "_")):
            if value := file.get(section, key, fallback="").strip():
                yield value


def _index_in_files_of_uv(environ: Mapping[str, str]) -> str | None:
    """Read the default index out of uv's own files (https://docs.astral.sh/uv/concepts/configuration-files/)."""
    if environ.get("UV_NO_CONFIG", "").lower() in _ON:
        return None
    home = Path(environ.get("HOME") or Path.home())
    user, system = Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "uv", "uv.toml"), Path("/etc/uv/uv.toml")
    files = [Path(named)] if (named := environ.get("UV_CONFIG_FILE")) else [user, system]
    return next((url for path in files if (url := _index_in_file_of_uv(_toml(path)))), None)


def _index_in_file_of_uv(settings: Mapping[str, Any]) -> str | None:
    defaults = [one.get("url") for one in settings.get("index", ()) if one.get("default")]
    return next((str(url) for url in (*defaults, settings.get("index-url")) if url), None)


def _toml(path: Path) -> Mapping[str, Any]:
    if sys.version_info >= (3, 11):  # an older one has no tomllib
        import tomllib

        with suppress(OSError, ValueError):  # it is not there, or damaged, which is uv's to say
            return tomllib.loads(path.read_text(encoding="utf-8"))
    return {}


if __name__ == "__main__":
    for sentence in ignored():
        print(sentence, file=sys.stderr)
    os.execvpe(sys.argv[1], sys.argv[1:], {**os.environ, **for_uv()})  # noqa: S606 - what was typed, and no shell
