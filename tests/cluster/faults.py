"""Faults on demand: what a node does instead of, or to, its answer."""

from __future__ import annotations

import threading
from typing import Callable, Iterable

from .s3.errors import S3Error
from .wire import Ending, Handler, RawResponse, Request, Response, octets

LocationOf = Callable[[bytes], bytes]


class Fault:
    """One kind of failure: given a request and the node's real handler, what is answered.

    A test may make its own: `Fault(lambda request, handler: Response(503))`.
    """

    RESET: Fault
    """Reset the connection when the head of the request has come; nothing was done."""
    RESET_AFTER_BODY: Fault
    """Take the whole body, then reset; nothing was done."""
    LOST_ANSWER: Fault
    """Do what was asked, then reset instead of answering."""
    CLOSE: Fault
    """Close in order without an answer."""
    HANG: Fault
    """Never answer; ends when the client gives up or the node stops."""
    TRUNCATED: Fault
    """Answer truly, but close after half of the body."""
    TRUNCATED_BY_RESET: Fault
    """Answer truly, but reset after half of the body."""
    GARBAGE: Fault
    """Answer something that is not HTTP."""
    INTERNAL_ERROR: Fault
    """500 InternalError."""
    SLOW_DOWN: Fault
    """503 SlowDown."""
    ACCESS_DENIED: Fault
    """403 AccessDenied."""
    LOOP: Fault
    """Redirect to the very URL that was asked for."""

    def __init__(self, answer: Callable[[Request, Handler], Response], name: str = "fault") -> None:
        self.answer = answer
        self.name = name

    def __repr__(self) -> str:
        return f"<Fault {self.name}>"

    def release(self) -> None:
        """Let go of requests that the fault holds; only `Gate` holds any."""

    @staticmethod
    def error(status: int, code: str, message: str = "a fault on demand") -> Fault:
        """An S3 error of that status and code."""
        return Fault(lambda _request, _handler: S3Error(status, code, message).response(), f"{status} {code}")

    @staticmethod
    def respond(
        status: int,
        headers: Iterable[tuple[str, str | bytes]] = (),
        body: bytes = b"",
        ending: Ending = Ending.KEEP,
    ) -> Fault:
        """Any response. Header values given as bytes go out untouched."""
        headers = list(headers)
        return Fault(lambda _request, _handler: Response(status, headers, body, ending=ending), f"{status}")

    @staticmethod
    def redirect(location: bytes | str | None, status: int = 307) -> Fault:
        """A redirect with any Location, text as latin-1; None leaves it out, empty is sent empty."""
        headers: list[tuple[str, str | bytes]] = [] if location is None else [("Location", location)]
        return Fault.respond(status, headers)

    @staticmethod
    def location(change: LocationOf, status: int | None = None) -> Fault:
        """The node's own answer, its Location put through `change`, and of another status if one is given."""

        def answer(request: Request, handler: Handler) -> Response:
            response = handler(request)
            if response.header("Location") is None:
                return response
            response.headers = [
                (name, change(octets(value)) if name == "Location" else value) for name, value in response.headers
            ]
            response.status = status or response.status
            return response

        return Fault(answer, "changed location")

    @staticmethod
    def aws_region(region: str, location: bytes | str | None = None, status: int = 307) -> Fault:
        """What AWS answers when a bucket lives in another region."""
        code = "TemporaryRedirect" if status == 307 else "PermanentRedirect"
        body = f"<Error><Code>{code}</Code><Message>Please re-send</Message></Error>".encode()
        headers: list[tuple[str, str | bytes]] = [("x-amz-bucket-region", region)]
        if location is not None:
            headers.append(("Location", location))
        return Fault.respond(status, [*headers, ("Content-Type", "application/xml")], body)

    @staticmethod
    def raw(data: bytes, ending: Ending = Ending.CLOSE) -> Fault:
        """Exactly these bytes for an answer."""
        return Fault(lambda _request, _handler: RawResponse(data, ending), "raw bytes")

    @staticmethod
    def reset_after(body_bytes: int) -> Fault:
        """Reset when so many bytes of the request's body (or all of it) have come."""

        def answer(request: Request, _handler: Handler) -> Response:
            while not request.body.finished and request.body.bytes_received < body_bytes:
                request.body.pull()
            return RawResponse(b"", Ending.RESET)

        return Fault(answer, f"reset after {body_bytes} bytes")


class Gate(Fault):
    """A slow node without a clock: holds every request until `release()`, then answers it truly."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._waiting = threading.Semaphore(0)
        super().__init__(self._hold, "gate")

    def wait_for_request(self) -> None:
        """Return when (another) request has come to the gate."""
        self._waiting.acquire()

    def release(self) -> None:
        self._open.set()

    def _hold(self, request: Request, handler: Handler) -> Response:
        self._waiting.release()
        self._open.wait()
        return handler(request)


class Rule:
    """When a node applies a fault."""

    def __init__(
        self, fault: Fault, times: int | None, after: int, every: int, when: Callable[[Request], bool]
    ) -> None:
        self.fault = fault
        self.hits = 0
        """How often the fault was applied."""
        self._matches = 0
        self._times = times
        self._after = after
        self._every = every
        self._when = when

    def strikes(self, request: Request) -> bool:
        if self._times is not None and self.hits >= self._times:
            return False
        if not self._when(request):
            return False
        self._matches += 1
        counted = self._matches - self._after
        if counted <= 0 or counted % self._every:
            return False
        self.hits += 1
        return True


class Faults:
    """A node's rules, the newest first."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        with self._lock:
            self._rules.insert(0, rule)

    def clear(self) -> None:
        with self._lock:
            rules, self._rules = self._rules, []
        for rule in rules:
            rule.fault.release()

    def answer(self, request: Request, handler: Handler) -> Response:
        fault = self._struck(request)
        return handler(request) if fault is None else fault.answer(request, handler)

    def _struck(self, request: Request) -> Fault | None:
        if not self._rules:
            return None
        with self._lock:
            return next((rule.fault for rule in self._rules if rule.strikes(request)), None)


def _halved(ending: Ending) -> Callable[[Request, Handler], Response]:
    def answer(request: Request, handler: Handler) -> Response:
        response = handler(request)
        response.sends_only = (response.length or 0) // 2
        response.ending = ending
        return response

    return answer


def _after_answer(request: Request, handler: Handler) -> Response:
    handler(request)
    return RawResponse(b"", Ending.RESET)


def _after_body(request: Request, _handler: Handler) -> Response:
    while request.body.pull():
        pass
    return RawResponse(b"", Ending.RESET)


def _to_itself(request: Request, _handler: Handler) -> Response:
    url = f"{request.scheme}://{request.host}".encode("latin-1") + request.target
    return Response(307, [("Location", url)])


Fault.RESET = Fault.raw(b"", Ending.RESET)
Fault.RESET_AFTER_BODY = Fault(_after_body, "reset after the body")
Fault.LOST_ANSWER = Fault(_after_answer, "lost answer")
Fault.CLOSE = Fault.raw(b"", Ending.CLOSE)
Fault.HANG = Fault.raw(b"", Ending.HOLD)
Fault.TRUNCATED = Fault(_halved(Ending.CLOSE), "truncated")
Fault.TRUNCATED_BY_RESET = Fault(_halved(Ending.RESET), "truncated by a reset")
Fault.GARBAGE = Fault.raw(b"\x00\xffnot HTTP at all\r\n\r\n\x00")
Fault.INTERNAL_ERROR = Fault.error(500, "InternalError")
Fault.SLOW_DOWN = Fault.error(503, "SlowDown")
Fault.ACCESS_DENIED = Fault.error(403, "AccessDenied")
Fault.LOOP = Fault(_to_itself, "loop")
