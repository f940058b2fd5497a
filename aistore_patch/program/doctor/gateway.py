"""What the doctor finds at an endpoint, by reading alone: does it redirect, where to, and do the redirects work?"""

from __future__ import annotations

import re
import uuid
from typing import Any, Iterator
from urllib.parse import urlsplit

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, SSLError

from ... import RedirectError, RedirectPolicy, follow_redirects
from ...chain import STATUSES, Chain, Unfollowable
from ...location import InvalidLocation, Url, has_pid, parse_url
from .finding import NOTE, OK, PROBLEM, Finding, plain

ASKED = 24
"""Objects that are asked for to see which targets there are: each of 8 targets is then missed once in 25 times."""

CONNECT_SECONDS = 2
READ_SECONDS = 4


class _Answer(Exception):
    """Carries the answer to a request out of botocore before botocore acts on it."""

    def __init__(self, request: Any, answer: Any) -> None:
        super().__init__()
        self.url = str(request.url)
        self.status = int(answer.status_code)
        self.headers = answer.headers
        self.body = answer.content
        self.locations: list[str] = answer.raw.headers.getlist("Location")

    @property
    def is_aistores(self) -> bool:
        return "aistore" in str(self.headers.get("Server", "")).lower() or any(map(has_pid, self.locations))

    @property
    def is_aws(self) -> bool:
        return "x-amz-bucket-region" in self.headers and not self.is_aistores


class Gateway:
    """An endpoint, and what is known of it so far.

    Args:
        endpoint_url: as boto3 takes it.
        bucket: a bucket there; None: the first one that is listed.
        policy: the limits.
    """

    def __init__(self, endpoint_url: str, bucket: str | None, policy: RedirectPolicy) -> None:
        self.endpoint_url = endpoint_url
        self.bucket = bucket
        self.policy = policy
        self.targets: set[str] = set()
        """The origins of the targets that redirects led to."""
        self.is_aistore = False
        self.is_well = True
        """Whether nothing was found that keeps a client from working."""
        self.shown = plain(endpoint_url)
        self._session = botocore.session.Session()

    def findings(self) -> Iterator[Finding]:
        """Look, step by step, as long as the next step makes sense."""
        for finding in self._steps():
            self.is_well = self.is_well and finding.level != PROBLEM
            yield finding

    def client(self) -> Any:
        """A new client of this endpoint, which fails early and retries nothing."""
        has_credentials = self._session.get_credentials() is not None
        return self._session.create_client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=self._session.get_config_variable("region") or "us-east-1",
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"max_attempts": 0},
                s3={"addressing_style": "path"},
                **({} if has_credentials else {"signature_version": UNSIGNED}),
            ),
        )

    def _steps(self) -> Iterator[Finding]:
        try:
            self._client = self.client()
        except (BotoCoreError, ValueError) as error:
            yield Finding(PROBLEM, "endpoint", f"no client can be made for {self.shown}: {plain(error)}")
            return
        yield self._credentials()
        listed = self._ask("list_buckets")
        if isinstance(listed, Finding):
            yield listed
            return
        tls = ", over TLS that is verified" if self.endpoint_url.startswith("https") else ""
        yield Finding(OK, "endpoint", f"{self.shown} answers (status {listed.status}{tls})")
        if self._has_no_api(listed):
            do = f"Use {self.shown.rstrip('/')}/s3, or turn on the feature S3-API-via-Root"
            yield Finding(PROBLEM, "endpoint", "there is no S3 API at this path", do)
            return
        if self.bucket is None:
            self.bucket = _first_bucket(listed)
        if self.bucket is None:
            yield Finding(NOTE, "redirects", "not looked at: no bucket is listed", "Name one with --bucket")
            return
        yield from self._look_at_bucket(self.bucket)

    def _credentials(self) -> Finding:
        found = self._session.get_credentials()
        if found is None:
            return Finding(
                NOTE, "credentials", "none were found, so requests are not signed; a plain AIStore asks for none"
            )
        return Finding(OK, "credentials", f"requests are signed with credentials from {found.method}")

    def _look_at_bucket(self, bucket: str) -> Iterator[Finding]:
        head = self._ask("head_bucket", Bucket=bucket)
        if isinstance(head, Finding):
            yield head
            return
        self.is_aistore = head.is_aistores
        if head.status == 404:
            yield Finding(
                PROBLEM, "bucket", f"there is no bucket {plain(bucket)}", "Create it, or name another with --bucket"
            )
            return
        if head.status in (401, 403):
            yield Finding(
                PROBLEM,
                "bucket",
                f"access to the bucket {plain(bucket)} is denied (status {head.status})",
                "Check the credentials",
            )
            return
        answers = []
        for number in range(ASKED):
            answer = self._ask("get_object", Bucket=bucket, Key=f"aistore-patch-doctor/{uuid.uuid4()}/{number}")
            if isinstance(answer, Finding):
                yield answer
                return
            answers.append(answer)
            self.is_aistore = self.is_aistore or answer.is_aistores
            if answer.status not in STATUSES:
                break  # the others would not be redirected either
        yield self._server()
        yield from self._redirects(answers)

    def _server(self) -> Finding:
        if self.is_aistore:
            return Finding(OK, "server", "it is an AIStore")
        return Finding(NOTE, "server", "it does not say that it is an AIStore, so what AIStore ignores is not refused")

    def _redirects(self, answers: list[_Answer]) -> Iterator[Finding]:
        last = answers[-1]
        if last.is_aws:
            yield Finding(NOTE, "redirects", "this is AWS, whose redirects botocore follows itself")
            return
        if last.status not in STATUSES:
            yield self._not_redirected(last)
            return
        targets: dict[str, _Answer] = {}
        for answer in answers:
            try:
                url = self._followed(answer)
            except (Unfollowable, InvalidLocation) as error:
                do = "Allow it in the policy if you trust it" if getattr(error, "code", "") == "RedirectRefused" else ""
                yield Finding(PROBLEM, "redirects", plain(error), do)
                return
            targets.setdefault(url.origin, answer)
        self.targets = set(targets)
        yield Finding(
            OK,
            "redirects",
            f"objects are redirected (status {last.status}) to {', '.join(sorted(targets))}; the policy allows it",
        )
        follower = follow_redirects(self.client(), self.policy)
        for origin, answer in sorted(targets.items()):
            yield self._target(follower, origin, answer)
        yield from self._features(answers[0])

    def _not_redirected(self, answer: _Answer) -> Finding:
        if answer.status in (401, 403):
            return Finding(
                PROBLEM, "redirects", f"an object was denied (status {answer.status})", "Check the credentials"
            )
        if answer.status >= 500:
            return Finding(
                PROBLEM,
                "redirects",
                f"an object was answered with status {answer.status}",
                "See the log of the gateway",
            )
        if self.is_aistore:
            text = "it answers for objects without redirecting, as with the feature S3-Reverse-Proxy"
            do = "The patch cannot refuse what AIStore ignores then: see 'What AIStore ignores' in README"
            return Finding(NOTE, "redirects", text, do)
        return Finding(NOTE, "redirects", "it answers for objects without redirecting: the patch changes nothing here")

    def _followed(self, answer: _Answer) -> Url:
        base = urlsplit(self.endpoint_url).path.rstrip("/")
        return Chain(parse_url(answer.url), None, base).follow(answer.status, answer.locations, self.policy).current

    def _target(self, follower: Any, origin: str, answer: _Answer) -> Finding:
        """Follow a redirect to a target, as a patched client does."""
        key = _key_of(answer.url)
        try:
            follower.get_object(Bucket=self.bucket, Key=key)
        except RedirectError as error:
            return Finding(PROBLEM, "target", f"{origin}: {plain(error)}")
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status != 404:
                return Finding(PROBLEM, "target", f"{origin} was reached, and answered: {plain(error)}")
        except Exception as error:  # of botocore, of urllib3, of the system
            do = (
                _ADVICE_TLS
                if isinstance(error, SSLError)
                else "Let this machine reach it, or turn on the feature S3-Reverse-Proxy"
            )
            return Finding(PROBLEM, "target", f"{origin} cannot be used from here: {plain(error)}", do)
        return Finding(OK, "target", f"{origin} can be reached from here, and answers")

    def _features(self, redirected: _Answer) -> Iterator[Finding]:
        head = self._ask("head_object", Bucket=self.bucket, Key=_key_of(redirected.url))
        if isinstance(head, _Answer) and head.status not in STATUSES:
            yield Finding(NOTE, "feature", "HEAD of objects is answered without redirecting (S3-Redirect-Rebuild)")
        if not urlsplit(self.endpoint_url).path.strip("/"):
            yield Finding(OK, "feature", "S3 is at / (S3-API-via-Root)")

    def _has_no_api(self, listed: _Answer) -> bool:
        is_json = "json" in str(listed.headers.get("Content-Type", ""))
        return listed.status in (400, 404, 405) and is_json  # AIStore's own error, not S3's

    def _ask(self, operation: str, **parameters: Any) -> _Answer | Finding:
        """The answer to a request as it came, with no redirect followed and no error raised; or why there is none."""

        def send(request: Any, **_: Any) -> None:
            raise _Answer(request, self._client._endpoint.http_session.send(request))

        self._client.meta.events.register_first("before-send.s3", send, unique_id="aistore_patch_doctor")
        try:
            getattr(self._client, operation)(**parameters)
        except _Answer as answer:
            return answer
        except Exception as error:  # of botocore, of urllib3, of the system
            return Finding(PROBLEM, "endpoint", f"{self.shown} cannot be used: {plain(error)}", _advice(error))
        finally:
            self._client.meta.events.unregister("before-send.s3", unique_id="aistore_patch_doctor")
        raise AssertionError("the hook of before-send answers")


_ADVICE_TLS = "Name its certificate authority in AWS_CA_BUNDLE"


def _advice(error: Exception) -> str:
    if isinstance(error, SSLError):
        return _ADVICE_TLS
    if isinstance(error, BotoCoreError) and "endpoint_url" in error.kwargs:
        return "Check the address, and that this machine may reach it"
    return ""


def _first_bucket(listed: _Answer) -> str | None:
    name = re.search(rb"<Bucket>.*?<Name>([^<]+)</Name>", listed.body, re.DOTALL)
    return name[1].decode("utf-8", "replace") if name else None


def _key_of(url: str) -> str:
    """The key that one of our requests was for."""
    path = urlsplit(url).path
    return path[path.index("aistore-patch-doctor/") :]
