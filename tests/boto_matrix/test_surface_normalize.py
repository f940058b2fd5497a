"""What of a function's text is its meaning, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from boto_matrix.surface.declaration import PACKAGES, PYTHON, Declaration, SurfaceError, declaration_of, declared
from boto_matrix.surface.fingerprint import Surface, difference, surface_of, what_changed
from boto_matrix.surface.normalize import NotPython, normalized_bindings, normalized_entries
from boto_matrix.surface.sources import Sources, UnreadableSources, sources_of_this_python

PLAIN = """
class Endpoint:
    def send(self, request, retries=3):
        if request.body:
            self.rewind(request)
        return [self.http.send(request), 'a']
"""

MEANS_THE_SAME = {
    "docstring": PLAIN.replace("retries=3):\n", 'retries=3):\n        """Send it."""\n'),
    "docstring of the class": PLAIN.replace("Endpoint:\n", 'Endpoint:\n    """Sends."""\n'),
    "comment": PLAIN.replace("retries=3):\n", "retries=3):  # type: ignore\n        # why\n"),
    "annotations": PLAIN.replace("request, retries=3)", "request: Request, retries: int = 3) -> list[object]"),
    "logging": PLAIN.replace("        return", "        logger.debug('sending %s', request)\n        return"),
    "logging in a block of its own": PLAIN.replace(
        "            self.rewind(request)\n", "            log.info('x')\n            self.rewind(request)\n"
    ),
    "formatting": PLAIN.replace("[self.http.send(request), 'a']", '[\n  self.http.send(request),\n  "a",\n]'),
    "parentheses": PLAIN.replace("if request.body:", "if (request.body):"),
    "pass": PLAIN.replace("        return", "        pass\n        return"),
    "what stands beside it": PLAIN + "\n    def other(self):\n        return 1\n",
    "under a condition": "try:\n    import crt\nexcept ImportError:\n" + PLAIN.replace("\n", "\n    "),
}

MEANS_ANOTHER = {
    "default": PLAIN.replace("retries=3", "retries=4"),
    "parameter": PLAIN.replace("retries=3", "retries=3, context=None"),
    "name of a parameter": PLAIN.replace("retries=3", "attempts=3"),
    "condition": PLAIN.replace("request.body:", "request.body is not None:"),
    "order": PLAIN.replace("self.http.send(request), 'a'", "'a', self.http.send(request)"),
    "constant": PLAIN.replace("'a'", "b'a'"),
    "number and truth": PLAIN.replace("retries=3", "retries=True"),
    "decorator": PLAIN.replace("    def send", "    @cached\n    def send"),
    "asynchronous": PLAIN.replace("    def send", "    async def send"),
    "call that is no logging": PLAIN.replace("        return", "        self.debug('sending')\n        return"),
    "value of an annotated name": PLAIN.replace("        return", "        ready: bool = True\n        return"),
    "another definition after it": PLAIN + "\n    def send(self):\n        return 1\n",
}


def tree(source: str, name: str = "Endpoint.send") -> str:
    return normalized_bindings(source, (name,))[name].tree


@pytest.mark.parametrize("source", MEANS_THE_SAME.values(), ids=MEANS_THE_SAME)
def test_what_does_nothing_is_no_change(source: str) -> None:
    assert source != PLAIN
    assert tree(source) == tree(PLAIN)


@pytest.mark.parametrize("source", MEANS_ANOTHER.values(), ids=MEANS_ANOTHER)
def test_what_does_something_is_a_change(source: str) -> None:
    assert source != PLAIN
    assert tree(source) != tree(PLAIN)


def test_a_function_of_nothing_but_words_is_still_a_function() -> None:
    assert tree("def a():\n    'Do.'", "a") == tree("def a():\n    pass", "a")
    assert tree("def a():\n    log.info('x')", "a") == tree("def a():\n    ...", "a")


def test_the_code_that_is_shown_means_what_the_function_means() -> None:
    for declaration in map(declaration_of, PACKAGES):
        surface = _installed(declaration)
        for part, meaning in surface.parts.items():
            _, colon, name = part.partition(":")
            if not colon or "." in name:  # a method is shown without its class
                name = name.rpartition(".")[2] or "context"
            again = normalized_bindings(meaning.code, (name,)) or {name: meaning}
            assert again[name].tree == meaning.tree, part


@pytest.mark.parametrize(
    "source",
    [
        "from elsewhere import found",
        "import found",
        "found = make()",
        "found: Thing = make()",
        "class found: pass",
        "if sys.version_info > (3,):\n    def found(): pass\nelse:\n    found = None",
        "try:\n    from a import found\nexcept ImportError:\n    from b import found",
    ],
)
def test_whatever_binds_a_name_is_found(source: str) -> None:
    assert normalized_bindings(source, ("found",)).keys() == {"found"}


@pytest.mark.parametrize("source", ["", "x = 1", "class A:\n    def found(self): pass", "found.x = 1", "found: int"])
def test_a_name_that_nothing_binds_is_left_out(source: str) -> None:
    assert normalized_bindings(source, ("found", "B.found")) == {}


def test_what_is_put_into_the_context_is_found_however_it_is_written() -> None:
    literal = "def f(self):\n    request_context = {'region': 1, 'client_config': self.meta.config}\n"
    item = "request_dict['context']['client_config'] = self.meta.config\n"
    meanings = [normalized_entries(source, "client_config", "context") for source in (literal, item)]
    assert meanings[0] is not None
    assert meanings[0] == meanings[1]


@pytest.mark.parametrize(
    "source", ["other = {'client_config': 1}", "context.get('client_config')", "context['x'] = client_config"]
)
def test_what_is_put_elsewhere_under_the_same_key_is_not_the_context(source: str) -> None:
    assert normalized_entries(source, "client_config", "context") is None


@pytest.mark.parametrize("source", ["def (", "\0", "print 'old'"])
def test_what_is_not_python_is_said_to_be_none(source: str) -> None:
    with pytest.raises(NotPython, match="is not Python that can be read"):
        normalized_bindings(source, ("a",))


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(UnreadableSources, match=r"^botocore/endpoint\.py is not Python"):
        surface_of(_sources({"botocore/endpoint.py": "def ("}), _stands_on("botocore.endpoint:Endpoint.send"))


def test_a_fingerprint_tells_a_function_that_is_missing_from_one_that_is_there() -> None:
    declaration = _stands_on("botocore.endpoint:Endpoint.send", "botocore.other:missing")
    with_it, without = (surface_of(_sources({"botocore/endpoint.py": text}), declaration) for text in (PLAIN, "x = 1"))
    assert with_it.fingerprint != without.fingerprint
    assert what_changed(without, with_it) == ["botocore.endpoint:Endpoint.send"]


def test_a_package_is_looked_into_as_a_module_is() -> None:
    sources = _sources({"botocore/endpoint/__init__.py": PLAIN})
    found = surface_of(sources, _stands_on("botocore.endpoint:Endpoint.send"))
    assert found.parts.keys() == {"botocore.endpoint:Endpoint.send"}


def test_the_order_of_a_declaration_does_not_matter() -> None:
    names = ("botocore.endpoint:Endpoint.send", "botocore.endpoint:Endpoint")
    sources = _sources({"botocore/endpoint.py": PLAIN})
    surfaces = [surface_of(sources, _stands_on(*order)) for order in (names, names[::-1])]
    assert surfaces[0].fingerprint == surfaces[1].fingerprint
    assert _stands_on(*names).identity == _stands_on(*names[::-1]).identity


def test_a_difference_is_shown_as_code_and_only_that() -> None:
    declaration = _stands_on("botocore.endpoint:Endpoint.send")
    old, new = (
        surface_of(_sources({"botocore/endpoint.py": text}), declaration)
        for text in (MEANS_THE_SAME["docstring"], MEANS_ANOTHER["default"])
    )
    assert list(difference(old, new, "1.0", "1.1"))[:5] == [
        "--- botocore.endpoint:Endpoint.send (1.0)",
        "+++ botocore.endpoint:Endpoint.send (1.1)",
        "@@ -1,4 +1,4 @@",
        "-def send(self, request, retries=3):",
        "+def send(self, request, retries=4):",
    ]
    assert list(difference(old, old, "1.0", "1.0")) == []


ONLY_IN_OLD_RELEASES = {
    "botocore.awsrequest:AWSConnection._send_request",  # until 1.31.14
    "botocore.utils:S3RegionRedirector.redirect_from_error",
    "urllib3._collections:HTTPHeaderDict.from_httplib",
}


@pytest.mark.parametrize("package", ["botocore", "urllib3", PYTHON])
def test_all_that_is_declared_exists_in_the_newest_release(package: str) -> None:
    surface = _installed(declaration_of(package))
    assert {*declaration_of(package).functions} <= {*surface.parts, *ONLY_IN_OLD_RELEASES}
    for key in declaration_of(package).context_keys:
        assert any(part.startswith(f"context[{key!r}]") for part in surface.parts)


@pytest.mark.parametrize("text", ["", "OTHER = ('a',)", "NAMES = make()", "def ("])
def test_a_declaration_that_is_none_is_an_error_that_names_the_file(text: str, tmp_path: Path) -> None:
    file = tmp_path / "surface.py"
    file.write_text(text)
    with pytest.raises(SurfaceError, match=r"surface\.py.*expected a tuple"):
        declared(file, "NAMES")
    with pytest.raises(SurfaceError, match=r"missing\.py: cannot be read"):
        declared(tmp_path / "missing.py", "NAMES")


def test_the_declarations_are_read_as_python_reads_them() -> None:
    from aistore_patch import surface
    from tests.unit.botocore_patch import mock_surface

    assert {one.package: (one.functions, one.context_keys) for one in map(declaration_of, PACKAGES)} == {
        "botocore": (surface.FUNCTIONS, surface.CONTEXT_KEYS),
        "moto": (mock_surface.FUNCTIONS, ()),
        "urllib3": (surface.URLLIB3_FUNCTIONS, ()),
        PYTHON: (surface.PYTHON_FUNCTIONS, ()),
    }


def _installed(declaration: Declaration) -> Surface:
    return surface_of(sources_of_this_python(declaration.package), declaration)


def _sources(files: dict[str, str]) -> Sources:
    return Sources("botocore", files.get, tuple(files))


def _stands_on(*functions: str) -> Declaration:
    return Declaration("botocore", "1.20.0", functions)
