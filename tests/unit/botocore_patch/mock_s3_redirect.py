"""moto, answering as an AIStore cluster does: a proxy that redirects, and targets that hold the data.

moto serves S3 inside the process: it answers botocore's ``before-send`` event, so that nothing is ever sent. This
puts itself in front of that: what is addressed to ``PROXY`` is redirected to one of ``TARGETS``, and a target hands
to moto only the very request that the proxy redirected to it. It keeps a ledger of what it redirected, what was
followed and what it refused, so that a test can prove what happened.

The redirect is that of a real cluster: the status, ``Server: AIStore``, the XML body, and a ``Location`` with the
original query and more (pid, utm). A real target rejects a request whose query is not the proxy's; so does this one.
As a real proxy, this one escapes the path anew, and damages that of a key with ``?`` or letters beyond ASCII: who
follows it blindly reads and writes another object.
"""

from __future__ import annotations

import inspect
import itertools
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Callable, Iterator, Mapping, NamedTuple
from unittest import mock
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.handlers
import moto
import moto.core.models

from tests.cluster.location import aistore_location

# The last octet and the ports are such that no server can be meant: should a request ever get past the mock, then
# nobody answers it.
PROXY = "http://127.0.0.1:9/s3"
TARGETS = ("http://127.0.0.2:11/s3", "http://127.0.0.3:13/s3")
CREDENTIALS = botocore.credentials.Credentials("AKIDMOCK", "only-for-the-mock")

# What moto takes for S3. It is a name inside this process only.
_MOTO_ENDPOINT = "http://s3.amazonaws.com"

ERROR_CODES = {
    301: "PermanentRedirect",
    302: "Found",
    307: "TemporaryRedirect",
    308: "PermanentRedirect",
}

# Legal in a query, and each is lost by some way of taking it apart and putting it together again: order, repeated
# and empty names, missing "=", upper and lower case of escapes, escapes that need not be, "+", and ?/:@ as they are.
_HARD_TO_KEEP = "z=1&a=2&a=1&a=2&empty=&bare&low=%c3%a9%2f&up=%C3%A9%2F&plus=a+b%2Bc&kept=%7e%61&raw=/?:@!$'()*,;~"


class MotoHasMovedError(RuntimeError):
    """This moto lacks what the mock stands on."""


@dataclass
class Redirect:
    """A redirect that the cluster gave, and the only request that follows it."""

    method: str
    urls: frozenset[str]  # one, or where the path is damaged also those that repair it
    body: bytes
    asked_query: str  # of the request to the proxy
    hops_left: int
    followed: bool = False


@dataclass
class Ledger:
    """What the cluster was asked, since the ledger was last cleared."""

    redirects: list[Redirect] = field(default_factory=list)
    answered_by_proxy: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def followed(self) -> int:
        """How many redirects were followed by exactly the request they ask for."""
        return sum(redirect.followed for redirect in self.redirects)

    def clear(self) -> None:
        """Forget everything."""
        self.__init__()  # type: ignore[misc]  # a ledger has no subclasses


class _Manner(NamedTuple):
    """How a cluster redirects."""

    status: int
    hops: int
    headers: Mapping[str, str]


class MockCluster:
    """A cluster in front of one moto. Until it is told to redirect, its proxy does everything itself."""

    def __init__(self, moto_answers: Callable[[Any], Any]) -> None:
        self.ledger = Ledger()
        self._manner: _Manner | None = None
        self._moto_answers = moto_answers
        self._serial = itertools.count(1)
        self._lock = threading.Lock()  # transfers come from several threads

    @contextmanager
    def redirecting(self, status: int, hops: int = 1, headers: Mapping[str, str] | None = None) -> Iterator[None]:
        """Answer every request with a Location inside the block.

        Args:
            status: the status that goes with it; one that is no redirect, too.
            hops: so many times, by the proxy first and then from target to target, before the request is served.
            headers: further headers of the redirects.
        """
        self._manner = _Manner(status, hops, headers or {})
        try:
            yield
        finally:
            self._manner = None

    def answer(self, request: Any) -> Any:
        """Answer a prepared request of botocore as the server it is addressed to would."""
        body = _take_body(request)
        with self._lock:
            if _is_under(PROXY, request.url):
                path, _, query = request.url[len(PROXY) :].partition("?")
                if self._manner is None or self._is_asked_for_the_region(request):
                    self.ledger.answered_by_proxy.append(f"{request.method} {request.url}")
                    return self._serve(request, body, path, query)
                return self._redirect(request, body, self._manner, PROXY, query, self._manner.hops - 1)
            for target in TARGETS:
                if _is_under(target, request.url):
                    return self._answer_as_target(target, request, body)
            return self._refuse(request, "it left the cluster")

    def _is_asked_for_the_region(self, request: Any) -> bool:
        """Whether this is the HEAD by which botocore's own S3RegionRedirector looks for a bucket's region.

        It does that on a redirect that it does not understand. AIStore's proxy answers it; were it redirected too,
        botocore before 1.28 would ask for ever.
        """
        is_bucket = "/" not in urlsplit(request.url[len(PROXY) + 1 :]).path
        unfollowed = any(not redirect.followed for redirect in self.ledger.redirects)
        return request.method == "HEAD" and is_bucket and unfollowed

    def _redirect(self, request: Any, body: bytes, manner: _Manner, here: str, asked_query: str, hops_left: int) -> Any:
        """Redirect from ``here`` (the proxy or a target) to a target."""
        serial = next(self._serial)
        target = TARGETS[serial % len(TARGETS)]
        added = f"pid=t%5b{serial % len(TARGETS)}%5D&utm={serial}&{_HARD_TO_KEEP}"
        path, _, query = request.url[len(here) :].partition("?")
        there = aistore_location(path.encode("latin-1"), query.encode("latin-1"), added.encode())
        urls = [f"{target}{_as_text(known)}?{_as_text(there.query)}" for known in (there.path, *there.accepted)]
        location = urls[0]
        self.ledger.redirects.append(Redirect(request.method, frozenset(urls), body, asked_query, hops_left))
        bucket = path.lstrip("/").partition("/")[0]
        headers = {"Location": location, **manner.headers}
        if request.method in ("PUT", "POST"):
            headers["Connection"] = "close"
        code = ERROR_CODES.get(manner.status, "Redirect")
        return _error_response(request, manner.status, code, "Redirect", headers, Endpoint=location, Bucket=bucket)

    def _answer_as_target(self, target: str, request: Any, body: bytes) -> Any:
        waiting = [redirect for redirect in self.ledger.redirects if not redirect.followed]
        exact = next((redirect for redirect in waiting if request.url in redirect.urls), None)
        if exact is None:
            led_to = [sorted(redirect.urls) for redirect in waiting]
            return self._refuse(request, f"no redirect led here; they led to {led_to}")
        if request.method != exact.method:
            return self._refuse(request, f"the redirect was for {exact.method}")
        if body != exact.body:
            return self._refuse(request, f"its body ({len(body)} bytes) is not the first one's ({len(exact.body)})")
        if not _is_signed_for_its_host(request):
            return self._refuse(request, "it is not signed for this URL")
        exact.followed = True
        if exact.hops_left and self._manner is not None:
            return self._redirect(request, body, self._manner, target, exact.asked_query, exact.hops_left - 1)
        return self._serve(request, body, request.url[len(target) :].partition("?")[0], exact.asked_query)

    def _refuse(self, request: Any, reason: str) -> Any:
        self.ledger.refused.append(f"{request.method} {request.url}: {reason}")
        return _error_response(request, 403, "RedirectAltered", reason, {})

    def _serve(self, request: Any, body: bytes, path: str, query: str) -> Any:
        """Let moto answer."""
        for_moto = botocore.awsrequest.AWSPreparedRequest(
            method=request.method,
            url=f"{_MOTO_ENDPOINT}{path or '/'}{'?' if query else ''}{query}",
            headers=request.headers.copy(),
            body=body,
            stream_output=request.stream_output,
        )
        response = self._moto_answers(for_moto)
        if response is None:
            raise MotoHasMovedError(f"moto {moto.__version__} does not answer {for_moto.method} {for_moto.url}")
        response.url = request.url
        response.headers.pop("x-amz-bucket-region", None)  # AIStore knows no regions
        return response


@contextmanager
def mock_cluster() -> Iterator[MockCluster]:
    """Serve S3 at ``PROXY`` and ``TARGETS`` in this process until the block ends.

    Raises:
        MotoHasMovedError: this moto lacks what the mock stands on; the message names it.
    """
    seam = find_seam()
    ask_moto = seam.stubber_type.__call__
    cluster = MockCluster(lambda request: ask_moto(seam.stubber, "before-send", request))

    def in_front_of_moto(_stubber: object, request: Any, **_: Any) -> Any:
        return cluster.answer(request)

    with ExitStack() as stack:
        stack.enter_context(seam.start_moto())
        stack.enter_context(mock.patch.object(seam.stubber_type, "__call__", in_front_of_moto))
        stack.enter_context(mock.patch("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1))  # parts may be small
        # For each request moto reloads its table of URLs, a third of its time, in case the environment has changed.
        # It has not. Where a moto has no such name, nothing is saved.
        stack.enter_context(mock.patch("moto.s3.models.reload", lambda module: module, create=True))
        yield cluster


class Seam(NamedTuple):
    """What the mock stands on in moto."""

    stubber: Any  # the handler of botocore's before-send event that answers for AWS
    stubber_type: Any
    start_moto: Callable[[], Any]  # the context manager that switches it on


def find_seam(package: Any = moto, models: Any = moto.core.models) -> Seam:
    """Find the places in moto that the mock stands on.

    Raises:
        MotoHasMovedError: one of them is missing or other than in moto 4 and 5.
    """
    stubber = getattr(models, "botocore_stubber", None)
    if stubber is None:
        raise _moved(package, "moto.core.models.botocore_stubber", "the handler of botocore's before-send event")
    found = list(inspect.signature(type(stubber).__call__).parameters) if callable(stubber) else None
    if found != ["self", "event_name", "request", "kwargs"]:
        expected = f"a __call__(self, event_name, request, **kwargs), and has {found}"
        raise _moved(package, "moto.core.models.botocore_stubber", expected)
    if ("before-send", stubber) not in [handler[:2] for handler in botocore.handlers.BUILTIN_HANDLERS]:
        raise _moved(package, "botocore.handlers.BUILTIN_HANDLERS", "moto's botocore_stubber at before-send")
    start_moto = getattr(package, "mock_aws", None) or getattr(package, "mock_s3", None)
    if start_moto is None:
        raise _moved(package, "moto.mock_aws (moto 5) or moto.mock_s3 (moto 4)", "what switches moto on")
    return Seam(stubber, type(stubber), start_moto)


def _moved(package: Any, name: str, expected: str) -> MotoHasMovedError:
    version = getattr(package, "__version__", "of unknown version")
    return MotoHasMovedError(
        f"moto {version}: {name} is not what it was in moto 4 and 5; expected {expected}. "
        "Adapt find_seam in mock_s3_redirect.py to this moto, or install one that has it."
    )


def _is_under(base: str, url: str) -> bool:
    return url == base or url.startswith((base + "/", base + "?"))


def _as_text(raw: bytes) -> str:
    """Bytes of a header as Python's HTTP client hands them over."""
    return raw.decode("latin-1")


def _take_body(request: Any) -> bytes:
    """Read a request's body to its end, as sending it would."""
    body = request.body
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        return body.encode("utf-8")
    return bytes(body or b"")


def _is_signed_for_its_host(request: Any) -> bool:
    """Whether the request bears the signature (SigV4) of just this URL, host included, and these headers."""
    fields = dict(
        part.strip().partition("=")[::2] for part in _text(request, "Authorization").partition(" ")[2].split(",")
    )
    if not {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
        return False
    _, _, region, service, _ = fields["Credential"].split("/")
    signed = {name: _text(request, name) for name in fields["SignedHeaders"].split(";") if name != "host"}
    copy = botocore.awsrequest.AWSRequest(method=request.method, url=request.url, headers=signed)
    copy.context["timestamp"] = _text(request, "X-Amz-Date")
    auth = botocore.auth.S3SigV4Auth(CREDENTIALS, service, region)
    expected = auth.signature(auth.string_to_sign(copy, auth.canonical_request(copy)), copy)
    return bool(expected == fields["Signature"])


def _text(request: Any, header: str) -> str:
    value = request.headers.get(header, "")
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _error_response(
    request: Any, status: int, code: str, message: str, headers: dict[str, str], **elements: str
) -> Any:
    """An error in S3's XML, as AIStore writes it; no body for HEAD, nor for a success."""
    inner = "".join(
        f"<{name}>{escape(text)}</{name}>" for name, text in {"Code": code, "Message": message, **elements}.items()
    )
    body = b"" if status < 300 else f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "Server": "AIStore",
        "Content-Length": str(len(body)),
        **headers,
    }
    raw = _RawBody(b"" if request.method == "HEAD" else body)
    return botocore.awsrequest.AWSResponse(request.url, status, headers, raw)


class _RawBody(BytesIO):
    """What botocore asks of urllib3's response: a body that can be streamed."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()
