"""How the three methods work together: on botocore's endpoint, with made-up answers in the place of a network."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.endpoint import Endpoint
from botocore.exceptions import HTTPClientError

from aistore_patch import endpoint as module
from aistore_patch import session as sessions
from aistore_patch import short_way
from aistore_patch.call import Redirected
from aistore_patch.connection import HopHeaders
from aistore_patch.endpoint import wrapped
from aistore_patch.errors import RedirectError
from aistore_patch.policy import RedirectPolicy

GATEWAY = "http://gw:81/s3"
TARGET = "http://t:51081/s3/b/k"


class Answer(SimpleNamespace):
    """An answer; reading its body is noted, and may fail."""

    status_code: int
    error: Exception | None = None

    @property
    def content(self) -> bytes:
        self.reads = getattr(self, "reads", 0) + 1
        if self.error is not None:
            raise self.error
        return b""


def answer(status: int, location: str | None = None, **more: Any) -> Answer:
    headers = HeadersDict(more.pop("headers", {}))
    if location is not None:
        headers["Location"] = location
    return Answer(status_code=status, headers=headers, **more)


REDIRECT = f"{TARGET}?pid=p&utm=u"


class Network(Endpoint):  # type: ignore[misc]  # botocore has no types
    """An endpoint that has the answers already, and notes what is asked."""

    def __init__(self, *answers: Any, host: str = GATEWAY) -> None:
        self.host, self.http_session, self._answers = host, object(), list(answers)
        self._event_emitter = self
        self.sent: list[Any] = []
        self.parsed: list[int] = []
        self.events: list[tuple[str, str]] = []

    def emit(self, event: str, *, request: Any, operation_name: str) -> list[Any]:
        assert event.endswith(operation_name)
        self.events.append((event, request.url))
        return []

    def _do_get_response(self, request: Any, operation_model: Any, *_: Any) -> Any:
        try:
            found = self._send(request)
        except HTTPClientError as error:
            return None, error
        self.parsed.append(found.status_code)
        return (found, {"of": operation_model.name}), None

    def _send(self, request: Any) -> Any:
        self.sent.append(request)
        found = self._answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


POLICY = RedirectPolicy()


def following(*answers: Any, policy: Any = POLICY, **more: Any) -> Any:
    """Such an endpoint with our methods around its own."""
    methods = wrapped(Network, lambda: policy, lambda name: getattr(Network, name))
    return type("Following", (Network,), methods)(*answers, **more)


def operation(name: str = "PutObject", service: str = "S3") -> Any:
    hyphenized = type("ServiceId", (str,), {"hyphenize": lambda self: self.lower()})(service)
    model = SimpleNamespace(service_id=hyphenized)
    return SimpleNamespace(
        name=name, service_model=model, has_streaming_output=False, has_event_stream_output=False, metadata={}
    )


def params(**more: Any) -> dict[str, Any]:
    given = {"method": "PUT", "url": f"{GATEWAY}/b/k", "headers": {"X-A": "b"}, "body": b"x", "context": {}}
    return {**given, **more}


def call(network: Any, of: Any = None, **more: Any) -> Any:
    of = of or operation()
    return network._do_get_response(network.create_request(params(**more), of), of)


def ours(request: Any) -> list[str]:
    return [name for name in vars(request) if not hasattr(Network("").create_request(params(), operation()), name)]


def test_a_request_carries_its_call_under_our_name() -> None:
    request = following().create_request(params(), operation())
    assert ours(request) == ["aistore_patch", "aistore_patch_params"]


@pytest.mark.parametrize(
    ("make", "of"),
    [
        (following, None),
        (following, operation(service="STS")),
        (lambda: following(host="https://s3.amazonaws.com"), operation()),
        (lambda: following(policy=None), operation()),
    ],
    ids=["no operation", "not S3", "AWS", "not asked for"],
)
def test_a_request_that_is_not_ours_carries_nothing(make: Any, of: Any) -> None:
    network, given = make(), params()
    request = network.create_request(given, of) if of else network.create_request(given)
    assert ours(request) == []
    assert given["context"] == {}


def test_a_redirect_is_followed_within_the_attempt() -> None:
    network = following(redirect := answer(307, REDIRECT), done := answer(200))
    (found, parsed), error = call(network)
    assert (found, error) == (done, None)
    assert network.parsed == [200]  # botocore would look for an error in a redirect
    assert redirect.reads == 1  # so that its connection can be used again
    assert not hasattr(done, "reads")
    assert parsed["of"] == "PutObject"
    assert [hop["HTTPStatusCode"] for hop in parsed["ResponseMetadata"]["Redirects"]] == [307]
    first, second = network.sent
    assert (first.url, second.url) == (f"{GATEWAY}/b/k", REDIRECT)
    assert (second.method, second.body, second.headers["X-A"]) == ("PUT", b"x", b"b")
    assert type(second.headers) is HopHeaders
    assert str(second.headers.url) == REDIRECT
    assert ours(second) == ["aistore_patch", "aistore_patch_params"]
    assert network.events == [("request-created.s3.PutObject", url) for url in (first.url, second.url)]


def test_a_request_for_another_place_is_made_anew() -> None:
    network = following(answer(307, f"{TARGET[:-1]}a;k?pid=1"), answer(200))
    context = {"signing": {"region": "r"}}
    made = {"url": f"{GATEWAY}/b/a;k", "headers": {"hOsT": "gw", "X-A": "b"}, "context": context, "auth_path": "/b/a;k"}
    call(network, **made)
    second = network.sent[1]
    assert "host" not in {name.lower() for name in second.headers}
    assert second.url == f"{TARGET[:-1]}a%3Bk?pid=1"  # botocore's own spelling would end at the `;`
    assert second.headers.url.target == "/s3/b/a;k?pid=1"
    assert second.stream_output is False


def test_several_redirects_are_one_chain() -> None:
    there, elsewhere = answer(307, REDIRECT), answer(302, "http://u/s3/b/k?pid=2")
    network = following(there, elsewhere, answer(200))
    (_, parsed), _ = call(network)
    assert [hop["HTTPStatusCode"] for hop in parsed["ResponseMetadata"]["Redirects"]] == [307, 302]
    assert [request.url for request in network.sent] == [f"{GATEWAY}/b/k", REDIRECT, "http://u/s3/b/k?pid=2"]
    assert type(call(following(there, answer(307, REDIRECT)))[1]) is RedirectError  # it is a loop


def test_methods_say_what_they_are_around() -> None:
    methods = wrapped(Network, lambda: POLICY, lambda name: getattr(Network, name))
    assert {name: vars(method)["__wrapped__"] for name, method in methods.items()} == {
        name: getattr(Network, name) for name in ("create_request", "_do_get_response", "_send")
    }


def test_a_location_that_is_signed_already_is_not_signed_again() -> None:
    signed = f"{TARGET}?X-Amz-Signature=0&X-Amz-Algorithm=a&X-Amz-Credential=c&X-Amz-SignedHeaders=host"
    network = following(answer(307, signed), answer(200))
    call(network)
    assert [url for _, url in network.events] == [f"{GATEWAY}/b/k"]


def test_a_redirect_whose_body_breaks_off_is_followed() -> None:
    network = following(answer(307, REDIRECT, error=OSError()), answer(200))
    assert call(network)[1] is None


def test_a_redirect_that_a_hook_made_up_is_followed() -> None:
    network = following(answer(200))
    of = operation()
    request = network.create_request(params(), of)
    network._do_get_response = None
    attempts: list[Any] = [((answer(307, REDIRECT), {}), None), ((done := answer(200), {}), None)]
    found = module._follow(network, lambda _: attempts.pop(0), request, of, vars(request)["aistore_patch"])
    assert found[0][0] is done


def test_other_outcomes_are_left_as_they_are() -> None:
    for status in (200, 404):
        network = following(one := answer(status))
        assert call(network) == ((one, {"of": "PutObject"}), None)
        assert not hasattr(one, "reads")
    failure = HTTPClientError(error="x")
    assert call(following(failure)) == (None, failure)


def test_an_answer_to_a_redirected_request_is_read_where_botocore_would_fail_later() -> None:
    network = following(answer(307, REDIRECT), answer(404, error=OSError("broken")))
    assert type(call(network)[1]).__name__ == "ConnectionClosedError"


def test_a_refusal_is_an_error_of_the_attempt() -> None:
    network = following(answer(307, "http://t/s3/b/other?pid=1"))
    success, error = call(network)
    assert success is None
    assert type(error) is RedirectError
    assert error.operation_name == "PutObject"
    assert error.response["Error"]["Code"] == "RedirectToOtherObject"
    assert error.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert len(network.sent) == 1


def test_the_policy_of_the_time_holds() -> None:
    policies = [RedirectPolicy(max_hops=0), RedirectPolicy(max_hops=1)]
    methods = wrapped(Network, lambda: policies.pop(0), lambda name: getattr(Network, name))
    network = type("Following", (Network,), methods)(answer(307, REDIRECT), answer(307, REDIRECT), answer(200))
    given, of = params(), operation()
    for code in ("TooManyRedirects", None):
        error = network._do_get_response(network.create_request(given, of), of)[1]
        assert error is None if code is None else error.response["Error"]["Code"] == code


def test_a_key_that_cannot_exist_is_not_there_and_nothing_is_asked() -> None:
    network = following(answer(307, f"{TARGET[:-1]}a//k?pid=1"))
    of = operation("HeadObject")
    (found, parsed), error = call(network, of, method="HEAD", url=f"{GATEWAY}/b/a//k", body=b"")
    assert (found.status_code, parsed["Error"]["Code"], error) == (404, "404", None)
    assert len(network.sent) == 1


def test_who_wraps_a_client_twice_has_it_followed_once() -> None:
    network = following(answer(307, REDIRECT), answer(200))
    outer = wrapped(type(network), RedirectPolicy, lambda name: getattr(type(network), name))
    twice = type("Twice", (type(network),), outer)(answer(307, REDIRECT), answer(200))
    assert call(twice)[1] is None
    assert len(twice.sent) == 2


def test_what_is_sent_outside_of_an_attempt_is_sent_as_ever() -> None:
    network = following(redirect := answer(307, REDIRECT))
    assert network._send(network.create_request(params(), operation())) is redirect
    assert not hasattr(redirect, "reads")


def test_sessions_are_adopted_and_the_short_way_is_asked_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(sessions, "adopt", lambda *about: told.append(("adopt", *about)))
    monkeypatch.setattr(short_way, "send", lambda send, session, _: told.append(("send", send, session)))
    monkeypatch.setattr(short_way, "learn", lambda *about: told.append(("learn", *about)))
    network = following(answer(307, REDIRECT), answer(200), answer(200))
    session = network.http_session
    call(network, context={"client_config": SimpleNamespace(proxies={})})
    asked = ("send", Network._send, session)
    assert told == [
        ("adopt", session, GATEWAY, True),
        *(asked, ("learn", session, f"{GATEWAY}/b/k")),
        *(asked, ("learn", session, REDIRECT)),
    ]
    del told[:]
    call(network)
    assert told == [("adopt", session, GATEWAY, False), asked]  # nobody was redirected


def test_an_answer_by_the_short_way_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [answer(307, REDIRECT), done := answer(200)]
    monkeypatch.setattr(short_way, "send", lambda *_: answers.pop(0))
    network = following()
    assert call(network)[0][0] is done
    assert network.sent == []


def test_what_carries_a_redirect_past_botocore_is_one_of_its_errors() -> None:
    carrier = Redirected(None)
    assert isinstance(carrier, HTTPClientError)
    assert (str(carrier), carrier.kwargs) == ("redirected", {})
