"""The seam in botocore, piece by piece: what it stands on, whom it is for, and what it makes of answers and errors."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, HTTPClientError, UnseekableStreamError

from aistore_patch import call as module
from aistore_patch import endpoint, session
from aistore_patch.call import HopRequest, call_of
from aistore_patch.chain import Chain, Hop, Unfollowable
from aistore_patch.endpoint import _BOTOCORE, SIGNATURES, check_supported
from aistore_patch.errors import RedirectError, UnsupportedBotocoreError
from aistore_patch.location import parse_url
from aistore_patch.policy import RedirectPolicy

AWS = [
    "s3.amazonaws.com",
    "S3.Amazonaws.com",
    "s3.us-east-1.amazonaws.com",
    "s3-us-west-2.amazonaws.com",
    "s3-fips.dualstack.us-gov-west-1.amazonaws.com",
    "bucket.s3.us-east-1.amazonaws.com",
    "vpce-1.s3.us-east-1.vpce.amazonaws.com",
    "s3.cn-north-1.amazonaws.com.cn",
    "s3.eusc-de-east-1.amazonaws.eu",
    "s3.dualstack.us-east-1.api.aws",
    "s3.dualstack.cn-north-1.api.amazonwebservices.com.cn",
    "s3.dualstack.eusc-de-east-1.api.amazonwebservices.eu",
    "s3.us-iso-east-1.c2s.ic.gov",
    "s3.us-isob-east-1.sc2s.sgov.gov",
    "s3.us-isof-south-1.csp.hci.ic.gov",
    "s3.eu-isoe-west-1.cloud.adc-e.uk",
    "s3.dualstack.us-iso-east-1.api.aws.ic.gov",
    "s3.dualstack.us-isob-east-1.api.aws.scloud",
    "s3.dualstack.us-isof-south-1.api.aws.hci.ic.gov",
    "s3.dualstack.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
]
OTHERS = [
    "gateway",
    "s3",
    "s3.example.com",
    "ec2-1-2-3-4.compute-1.amazonaws.com",
    "s3.compute.amazonaws.com",
    "s3-gateway-1.us-east-1.elb.amazonaws.com",
    "minios3.amazonaws.com",
    "s3_x.amazonaws.com",
    "s3.amazonaws.com.example.com",
    "s3.notamazonaws.com",
    "s3.amazonaws.org",
    "s3.us-east-1.aws",
    "sts.amazonaws.com",
]


@pytest.mark.parametrize("host", [*AWS, *OTHERS])
def test_s3_of_aws_is_known_by_its_host(host: str) -> None:
    assert module._is_aws(f"https://{host}:444/s3") is (host in AWS)


def test_an_endpoint_without_a_host_is_not_aws() -> None:
    assert not module._is_aws("/s3.amazonaws.com")


# What it stands on.


class Supported:
    """An endpoint as botocore has them; a copy, for what is changed in one test."""

    def __init__(self) -> None:
        self._event_emitter = self.host = self.http_session = None

    def create_request(self, params: Any, operation_model: Any = None) -> None: ...
    def _do_get_response(self, request: Any, operation_model: Any, context: Any) -> None: ...
    def _send(self, request: Any) -> None: ...
    def prepare_request(self, request: Any) -> None: ...


class Older(Supported):
    def _do_get_response(self, request: Any, operation_model: Any) -> None: ...  # type: ignore[override]  # as it was


def test_every_botocore_up_to_now_is_supported() -> None:
    for cls in (Supported, Older, botocore.endpoint.Endpoint):
        check_supported(cls)


METHODS = [*SIGNATURES, "prepare_request"]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_is_missing_is_named_with_what_it_should_take(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Supported, name)
    parameters = ", ".join({**SIGNATURES, "prepare_request": (("self", "request"),)}[name][-1])
    with pytest.raises(UnsupportedBotocoreError) as caught:
        check_supported(Supported)
    where = f"{__name__}.Supported.{name}"
    assert str(caught.value) == f"{where} is missing; expected {where}({parameters})"


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_takes_something_else_is_named_with_both(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(self: Any, anything: Any) -> None: ...

    monkeypatch.setattr(Supported, name, other)
    with pytest.raises(
        UnsupportedBotocoreError, match=rf"{name} has the parameters \(self, anything\); expected \(self"
    ):
        check_supported(Supported)


def more_options(self: Any, request: Any, *, traced: bool = True) -> None: ...
def more_parameters(self: Any, request: Any, traced: bool = True) -> None: ...
def more_to_be_given(self: Any, request: Any, traced: bool) -> None: ...
def called_otherwise(this: Any, request: Any) -> None: ...
def anything_at_all(*args: Any, **options: Any) -> None: ...
def anything_more(self: Any, *args: Any) -> None: ...


class Unknown:
    """A thing that is called, and takes anything: nobody knows what it does with it."""

    def __call__(self, *args: Any) -> None: ...


REPLACEMENTS: list[tuple[Any, bool]] = [
    (more_options, True),
    (more_parameters, True),
    (anything_at_all, True),
    (anything_more, True),
    (more_to_be_given, False),
    (called_otherwise, False),
    (Unknown(), False),
    (3, False),
]


@pytest.mark.parametrize(("replacement", "fits"), REPLACEMENTS)
def test_what_somebody_has_put_there_fits_if_it_can_be_called_so(
    replacement: Any, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not for a function of the module itself: botocore's own must be the one that is known.
    monkeypatch.setattr(botocore.endpoint.Endpoint, "_send", replacement)
    if fits:
        check_supported(botocore.endpoint.Endpoint)
    else:
        with pytest.raises(UnsupportedBotocoreError, match=r"botocore\.endpoint\.Endpoint\._send has"):
            check_supported(botocore.endpoint.Endpoint)


def test_a_method_of_botocores_own_may_have_no_more_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supported, "_send", more_options)  # of the module of its class
    with pytest.raises(UnsupportedBotocoreError, match=r"\(self, request, traced\)"):
        check_supported(Supported)


@pytest.mark.parametrize("attribute", ["_event_emitter", "host", "http_session"])
def test_an_attribute_that_is_set_no_more_is_named(attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"_event_emitter", "host", "http_session"} - {attribute}
    made: dict[str, Any] = {}
    lines = "".join(f"\n    self.{name} = None" for name in sorted(known))
    exec(compile(f"def __init__(self):{lines}", __file__, "exec"), made)
    monkeypatch.setattr(Supported, "__init__", made["__init__"])
    with pytest.raises(UnsupportedBotocoreError, match=rf"Supported\.__init__ sets no attribute {attribute}; expected"):
        check_supported(Supported)


def test_an_init_of_somebody_elses_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for other in (functools.partial(print), logging.Logger.__init__):
        monkeypatch.setattr(Supported, "__init__", other)
        check_supported(Supported)


def test_the_session_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ATTRIBUTES", ("_pools",))
    with pytest.raises(UnsupportedBotocoreError, match=r"URLLib3Session\.__init__ sets no attribute _pools"):
        check_supported(Supported)


# What it makes of answers.


def answer(status: int, headers: Any = None, **more: Any) -> Any:
    return SimpleNamespace(status_code=status, headers=headers or {}, content=b"", **more)


def test_a_redirect_is_one_that_aistore_sends() -> None:
    assert [status for status in range(600) if module.is_redirect(status, {})] == [301, 302, 307, 308]
    assert not module.is_redirect(307, {"x-amz-bucket-region": "here"})


def test_a_redirected_request_is_answered_as_botocore_would_have_it() -> None:
    request = SimpleNamespace(url="http://t/b/k")

    class Broken(SimpleNamespace):
        @property
        def content(self) -> bytes:
            raise OSError("broken")

    for status in (200, 204, 299, 300, 404, 503):
        endpoint._raise_as_botocore(answer(status), request)
    for status in (199, 101):
        with pytest.raises(HTTPClientError, match=f"status {status}"):
            endpoint._raise_as_botocore(answer(status), request)
    for status in (200, 299):
        endpoint._raise_as_botocore(Broken(status_code=status), request)  # it is the caller's to read
    for status in (300, 404):
        with pytest.raises(ConnectionClosedError) as caught:
            endpoint._raise_as_botocore(Broken(status_code=status), request)
        assert caught.value.kwargs["endpoint_url"] == "http://t/b/k"
        assert caught.value.request is request
        assert "broken" in repr(caught.value.__cause__)


class Headers(dict):  # type: ignore[type-arg]  # of anything
    def getlist(self, name: str) -> list[str]:
        return self.get(name, [])  # type: ignore[no-any-return]  # as above


@pytest.mark.parametrize(
    ("given", "locations"),
    [
        (answer(307, {"Location": "/x"}), ["/x"]),
        (answer(307), []),
        (answer(307, {"Location": "/x"}, raw=None), ["/x"]),
        (answer(307, {"Location": "/x"}, raw=SimpleNamespace(headers={})), ["/x"]),
        (answer(307, {"Location": "a, b"}, raw=SimpleNamespace(headers=Headers(Location=["a", "b"]))), ["a", "b"]),
        (answer(307, {"Location": "a"}, raw=SimpleNamespace(headers=Headers())), []),
    ],
)
def test_each_location_is_one(given: Any, locations: list[str]) -> None:
    assert endpoint._locations(given) == locations


# What it makes of requests.


def chain(original: str, *hops: str, **more: Any) -> Chain:
    followed = tuple(Hop(307, parse_url(url)) for url in hops)
    return Chain(parse_url(original), hops=followed, **more)


@pytest.mark.parametrize(
    ("signed", "now", "bucket", "resource"),
    [
        ("/b/k", "http://t/s3/b/k?pid=1", None, "/b/k"),
        ("/b/a%20k", "http://t/s3/b/a%20k", None, "/b/a%20k"),
        ("/b/a%20(k)", "http://t/s3/b/a%20%28k%29", None, "/b/a%20%28k%29"),  # as it is spelled now
        ("/b/a%28k%29", "http://t/b/a(k)", None, "/b/a(k)"),
        ("/b/s3/b/k", "http://t/s3/b/s3/b/k", None, "/b/s3/b/k"),
        ("/b/k%21", "http://b.t/k!", "b", "/b/k!"),  # the bucket stands in the host
        ("/b/k%21", "http://t/s3/k!", "b", "/b/k!"),
        ("/b/k", "http://t/elsewhere", None, "/b/k"),
    ],
)
def test_signature_version_2_signs_the_resource_as_it_is_spelled_now(
    signed: str, now: str, bucket: str | None, resource: str
) -> None:
    assert module._resource(signed, chain("http://gw/s3/b/k", now, bucket=bucket)) == resource


def of_operation(name: str, service: str = "S3") -> Any:
    return SimpleNamespace(name=name, service_model=SimpleNamespace(service_id=service))


@pytest.mark.parametrize(
    ("url", "at", "bucket", "base"),
    [
        ("http://gw:81/s3/b/k", "http://gw:81/s3", None, "/s3"),
        ("http://gw:81/s3/b/k", "http://gw:81/s3/", None, "/s3"),
        ("http://gw:81/b/k", "http://gw:81", None, ""),
        ("http://b.c.gw:81/k", "http://gw:81", "b.c", ""),
        ("http://b.c.gw:81/k", "http://GW:81", "b.c", ""),
        ("http://bgw:81/k", "http://gw:81", None, ""),
        ("http://b.gw:81/k", "http://other:81", None, ""),
    ],
)
def test_a_chain_begins_with_the_bucket_and_the_path_of_the_endpoint(
    url: str, at: str, bucket: str | None, base: str
) -> None:
    request, where = SimpleNamespace(url=url), SimpleNamespace(host=at)
    for name, any_slash in (("ListObjectsV2", True), ("DeleteBucketTagging", False)):
        begun = module._chain_of(request, where, of_operation(name))
        assert begun == chain(url, bucket=bucket, base=base, any_slash=any_slash)


def test_a_chain_that_cannot_begin_hides_what_is_secret() -> None:
    request = SimpleNamespace(url="ftp://gw/b/k?token=1")
    with pytest.raises(Unfollowable, match=r"'ftp://gw/b/k.*own URL cannot be read: ") as caught:
        module._chain_of(request, SimpleNamespace(host="http://gw"), of_operation("GetObject"))
    assert caught.value.code == "InvalidRedirectLocation"
    assert "token=1" not in str(caught.value)


def test_a_redirected_request_stays_where_it_was_sent() -> None:
    request = HopRequest(method="PUT", url="http://t/s3/b/k", data=b"x")
    request.url = "http://b.s3.amazonaws.com/k"
    assert request.url == "http://t/s3/b/k"
    assert request.body == b"x"
    in_form = HopRequest(method="PUT", url="http://t/s3/b/k", data={"a": "b"})
    assert in_form.body == AWSRequest(method="PUT", url="http://t/s3/b/k", data={"a": "b"}).body == b"a=b"


def test_only_s3_is_followed() -> None:
    assert module._is_s3(of_operation("GetObject")) is True
    for other in ("S3 Control", "s3", "STS", ""):
        assert module._is_s3(of_operation("GetObject", other)) is False


@pytest.mark.parametrize(
    ("context", "has_own"),
    [
        ({}, False),
        ({"client_config": None}, False),
        ({"client_config": SimpleNamespace(proxies=None)}, False),
        ({"client_config": SimpleNamespace(proxies={})}, True),
        ({"client_config": SimpleNamespace(proxies={"http": "http://p"})}, True),
    ],
)
def test_a_client_has_proxies_of_its_own_if_its_config_says_so(context: dict[str, Any], has_own: bool) -> None:
    request = SimpleNamespace(aistore_patch_params={"context": context})
    assert module.has_own_proxies(request) is has_own


def test_headers_are_text() -> None:
    assert [module._text(value) for value in ("a\u20ac", b"a\xe9", 1)] == ["a\u20ac", "a\xe9", "1"]


# A call, over its attempts.


class Pipe:
    def read(self, _size: int = -1) -> bytes:
        return b""


def test_attempts_of_a_call_are_of_one_call() -> None:
    params: dict[str, Any] = {"context": {}, "body": b"x"}
    call = call_of(_BOTOCORE, params)
    assert call_of(_BOTOCORE, params) is call
    assert params["context"] == {"aistore_patch": call}
    assert (call.attempts, call.is_followed, call.was_redirected, call.chain) == (0, False, False, None)


def test_a_body_goes_back_before_an_attempt_after_a_redirect_and_not_before() -> None:
    params: dict[str, Any] = {"context": {}, "body": io.BytesIO(b"0123456789")}
    params["body"].seek(3)
    call = call_of(_BOTOCORE, params)
    params["body"].seek(7)
    call.begin_again(params)
    assert params["body"].tell() == 7  # botocore sees to it
    call.was_redirected = True
    call.begin_again(params)
    assert params["body"].tell() == 3


def test_one_that_cannot_go_back_is_botocores_error() -> None:
    params: dict[str, Any] = {"context": {}, "body": Pipe()}
    call = call_of(_BOTOCORE, params)
    call.was_redirected = True
    params["body"].read(1)
    with pytest.raises(UnseekableStreamError, match="Pipe"):
        call.begin_again(params)


def test_an_attempt_is_followed_until_it_ends_whichever_way() -> None:
    call = call_of(_BOTOCORE, {"context": {}, "body": b""})
    for attempts in (1, 2):
        with contextlib.suppress(ZeroDivisionError), call.attempt():
            assert (call.attempts, call.is_followed, call.chain) == (attempts, True, None)
            call.chain = chain("http://gw/b/k")
            raise ZeroDivisionError
        assert not call.is_followed


# What the caller gets.

FOLLOWED = chain("http://gw/s3/b/k", "http://t/s3/b/k?pid=1")


def test_a_response_lists_the_redirects() -> None:
    parsed: dict[str, Any] = {"A": "b", "ResponseMetadata": {"HTTPStatusCode": 200}}
    module._record(((answer(200), parsed), None), FOLLOWED)
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [hop["HTTPStatusCode"] for hop in parsed["ResponseMetadata"]["Redirects"]] == [307]
    assert parsed["ResponseMetadata"]["Redirects"][0]["Location"].startswith("http://t/s3/b/k")
    assert "pid" not in str(parsed)
    bare: dict[str, Any] = {}
    module._record(((answer(200), bare), None), FOLLOWED)
    assert bare == {"ResponseMetadata": {"Redirects": parsed["ResponseMetadata"]["Redirects"]}}


def test_a_response_that_was_not_redirected_says_nothing_of_it() -> None:
    parsed: dict[str, Any] = {}
    module._record(((answer(200), parsed), None), None)
    error = EndpointConnectionError(endpoint_url="http://gw/b/k?versionId=1", error="x")
    module._record((None, error), None)
    assert parsed == {}
    assert "versionId=1" in str(error)


def test_an_error_hides_the_query_of_where_a_redirect_led() -> None:
    error = EndpointConnectionError(endpoint_url="http://t/b/k?pid=1", error="refused")
    module._record((None, error), FOLLOWED)
    for said in (str(error), repr(error), str(error.kwargs)):
        assert "http://t/b/k" in said
        assert "pid=1" not in said
    assert type(error) is EndpointConnectionError


def test_an_error_that_is_not_botocores_stays_as_it_is() -> None:
    other = KeyError("k?")
    module._record((None, other), FOLLOWED)
    assert other.args == ("k?",)


@pytest.mark.parametrize(
    ("method", "error"),
    [("HEAD", {"Code": "404", "Message": "Not Found"}), ("GET", {"Code": "NoSuchKey", "Message": "why"})],
)
def test_an_object_that_cannot_exist_is_not_there(method: str, error: dict[str, str]) -> None:
    made, parsed = module._no_such_key(_BOTOCORE, "why", SimpleNamespace(url="http://gw/b/k", method=method))
    assert (made.url, made.status_code, dict(made.headers), made.content) == ("http://gw/b/k", 404, {}, b"")
    metadata = {"HTTPStatusCode": 404, "HTTPHeaders": {}, "RetryAttempts": 0}
    assert parsed == {"Error": error, "ResponseMetadata": metadata}


@pytest.mark.parametrize("followed", [None, FOLLOWED])
def test_a_refusal_says_all_but_where_the_redirect_led(followed: Chain | None) -> None:
    call = call_of(_BOTOCORE, {"context": {}, "body": b""})
    call.attempts, call.chain = 3, followed
    given = answer(307, {"Server": "AIStore", "LOCATION": "http://t/b/k?pid=1"})
    error = module._error("RedirectLoop", "why", given, of_operation("GetObject"), call)
    assert type(error) is RedirectError
    assert error.operation_name == "GetObject"
    assert error.response["Error"] == {"Code": "RedirectLoop", "Message": "why"}
    metadata = error.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 307
    assert metadata["HTTPHeaders"] == {"server": "AIStore"}
    assert metadata["RetryAttempts"] == 2
    assert len(metadata["Redirects"]) == (0 if followed is None else 1)
    assert "pid" not in str(error.response)


# Which AIStore is asked for what.


def guarded(server: Any, location: str) -> None:
    headers = {} if server is None else {"Server": server}
    request = SimpleNamespace(method="PUT", headers={"X-Amz-Copy-Source": "b/k"}, body=b"")
    module._guard(
        chain("http://gw/s3/b/k?acl"),
        request,
        of_operation("PutObjectAcl"),
        RedirectPolicy(),
        answer(307, headers),
        [location],
    )


@pytest.mark.parametrize("server", ["AIStore", "nginx (aistore)", b"AIStore"])
def test_an_aistore_is_known_by_its_server(server: Any) -> None:
    with pytest.raises(Unfollowable, match="PutObjectAcl") as caught:
        guarded(server, "http://t/s3/b/k?acl")
    assert caught.value.code == "NotHonoured"


@pytest.mark.parametrize("server", [None, "", "nginx"])
def test_or_by_the_pid_that_it_adds(server: Any) -> None:
    guarded(server, "http://t/s3/b/k?acl")
    with pytest.raises(Unfollowable):
        guarded(server, "http://t/s3/b/k?acl&pid=p&utm=u")


def test_the_log_is_ours_and_says_nothing_unless_asked_for() -> None:
    assert module.logger.name == "aistore_patch"
    assert any(isinstance(handler, logging.NullHandler) for handler in module.logger.handlers)
