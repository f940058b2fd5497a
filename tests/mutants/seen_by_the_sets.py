"""Bugs that the four test sets must catch, without any other test."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_NOT_FOLLOWED = "a redirect of this kind is an error to the user"
_QUERY_REFUSED = "the target rejects the request, since its query is not the proxy's"
_WRONG_STATUS = "the user's request goes where nobody sent it"

_STATUSES = "(301, 302, 307, 308)"
_URL = "    return Url(new_scheme, netloc, path, query)"
_NETLOC = "    netloc = current.netloc if authority is None else _checked_netloc(new_scheme.encode(), authority)"
_IS_REDIRECT = "    if success is not None and _is_redirect(success[0], request.url):"
_REQUEST = '    request = create_request_object({**call.params, "url": str(url), "headers": headers})'
_EMIT = """    endpoint._event_emitter.emit(
        f"request-created.{service}.{operation_model.name}", request=request, operation_name=operation_model.name
    )"""
_PREPARED = """    prepared = endpoint.prepare_request(request)
"""
_LIMIT = "        if len(self.hops) >= policy.max_hops:"


def _with_statuses(name: str, harm: str, statuses: str) -> Mutant:
    return Mutant(name, harm, "chain.py", f"STATUSES = frozenset({_STATUSES})", f"STATUSES = frozenset({statuses})")


def _with_url(name: str, harm: str, replacement: str) -> Mutant:
    return Mutant(name, harm, "location.py", _URL, replacement)


def _with_query(name: str, query: str) -> Mutant:
    indented = f"    from urllib.parse import parse_qsl, quote, unquote, urlencode\n    query = {query}\n"
    return _with_url(name, _QUERY_REFUSED, indented + _URL)


def _with_request(name: str, harm: str, changes: str) -> Mutant:
    return Mutant(name, harm, "seam.py", _REQUEST, _REQUEST.replace("headers})", f"headers, {changes}}})"))


MUTANTS = (
    # What is followed.
    _with_statuses("301-not-followed", _NOT_FOLLOWED, "(302, 307, 308)"),
    _with_statuses("302-not-followed", _NOT_FOLLOWED, "(301, 307, 308)"),
    _with_statuses("307-not-followed", _NOT_FOLLOWED, "(301, 302, 308)"),
    _with_statuses("308-not-followed", _NOT_FOLLOWED, "(301, 302, 307)"),
    *(
        Mutant(
            f"{method}-not-followed",
            _NOT_FOLLOWED,
            "seam.py",
            _IS_REDIRECT,
            _IS_REDIRECT.replace(":", f' and request.method != "{method}":'),
        )
        for method in ("HEAD", "POST", "DELETE")
    ),
    # What is not.
    _with_statuses("200-followed", _WRONG_STATUS, "(200, 301, 302, 307, 308)"),
    _with_statuses("300-followed", _WRONG_STATUS, "(300, 301, 302, 307, 308)"),
    _with_statuses("303-followed", _WRONG_STATUS, "(301, 302, 303, 307, 308)"),
    _with_statuses("304-followed", _WRONG_STATUS, "(301, 302, 304, 307, 308)"),
    _with_statuses("403-followed", _WRONG_STATUS, "(301, 302, 307, 308, 403)"),
    Mutant(
        "aws-region-redirect-hijacked",
        "requests to a young bucket of AWS are signed for the wrong region",
        "seam.py",
        ' or "x-amz-bucket-region" in headers:',
        ":",
    ),
    Mutant(
        "other-services-followed",
        "calls of STS or DynamoDB go where a stranger sends them",
        "seam.py",
        'return bool(operation_model.service_model.service_id == "S3")',
        "return True",
    ),
    # Where it leads.
    Mutant(
        "host-kept",
        "the proxy is asked again and again, or another server at the target's port",
        "location.py",
        _NETLOC,
        _NETLOC + '\n    netloc = ":".join((current.host, split_netloc(netloc)[1]))',
    ),
    Mutant(
        "port-kept",
        "another server on the target's machine gets the request",
        "location.py",
        _NETLOC,
        _NETLOC + '\n    netloc = ":".join((split_netloc(netloc)[0], split_netloc(current.netloc)[1]))',
    ),
    Mutant(
        "host-and-port-kept",
        "the proxy is asked again, with a query that is none of its business",
        "location.py",
        _NETLOC,
        "    netloc = current.netloc",
    ),
    _with_url(
        "path-of-the-first-request",
        "a target that takes the Location only as it is rejects the request",
        "    return Url(new_scheme, netloc, original.path, query)",
    ),
    Mutant(
        "question-mark-ends-the-key",
        "the object x?y is stored as x, over one that has this name",
        "location.py",
        "        _check_leak(leaked, original)\n        return asked_path, query",
        "        return path, query",
    ),
    Mutant(
        "header-bytes-encoded-twice",
        "objects with names beyond ASCII cannot be reached",
        "location.py",
        '        raw = location.encode("latin-1")',
        '        raw = location.encode("utf-8")',
    ),
    Mutant(
        "stored-under-a-name-encoded-twice",
        "objects with names beyond ASCII are stored under other names",
        "location.py",
        "    path, query = _same_object(rest, original, asked, may_add_api=not base and not is_in_host)",
        '    path, query = _split_path(rest.decode("latin-1").encode("utf-8"))',
    ),
    Mutant(
        "any-object-will-do",
        "a Location that names another object: that is read, overwritten or deleted",
        "location.py",
        '    raise OtherObject("its path is not the path that was asked for")',
        "    return _split_path(rest)",
    ),
    # The query.
    _with_query("query-dropped", "None"),
    _with_query("query-of-the-first-request", "original.query"),
    _with_query("query-without-the-first-one", "query[len(original.query or ''):].lstrip('&') if query else query"),
    _with_query("query-taken-apart-and-put-together", "urlencode(parse_qsl(query, keep_blank_values=True))"),
    _with_query("query-escaped-anew", "quote(unquote(query), safe='=&')"),
    _with_query("query-escaped-twice", "quote(query, safe='=&')"),
    _with_query("query-decoded", "unquote(query)"),
    _with_query("query-sorted", "'&'.join(sorted(query.split('&')))"),
    _with_query("query-without-repetitions", "'&'.join(dict.fromkeys(query.split('&')))"),
    _with_query("query-without-empty-values", "'&'.join(pair for pair in query.split('&') if pair.partition('=')[2])"),
    _with_query("plus-in-query-becomes-space", "query.replace('+', '%20')"),
    _with_query("escapes-in-query-in-capitals", "re.sub('%..', lambda escape: escape.group().upper(), query)"),
    _with_query("query-cut-at-its-question-mark", "query.partition('?')[0]"),
    # The request that is repeated.
    _with_request("method-becomes-get", "nothing is stored or deleted, and no error says so", '"method": "GET"'),
    _with_request(
        "post-becomes-get",
        "multipart uploads are neither begun nor completed",
        '"method": call.params["method"].replace("POST", "GET")',
    ),
    _with_request(
        "head-becomes-get",
        "head_object moves the whole object over the wire",
        '"method": call.params["method"].replace("HEAD", "GET")',
    ),
    _with_request("body-not-resent", "empty objects are stored", '"body": None'),
    _with_request("body-resent-empty", "empty objects are stored", '"body": b""'),
    Mutant(
        "headers-not-resent",
        "metadata, content types and ranges are lost",
        "seam.py",
        'for name, value in call.params["headers"].items() if name.lower() != "host"',
        'for name, value in call.params["headers"].items() if name == "User-Agent"',
    ),
    Mutant(
        "body-resent-from-zero",
        "other bytes are stored than were asked for",
        "body.py",
        "self._stream.seek(self._start)",
        "self._stream.seek(0)",
    ),
    Mutant(
        "body-not-rewound",
        "objects are stored empty, or without their beginning",
        "seam.py",
        "            call.body.rewind()\n        except Unfollowable",
        "        except Unfollowable",
    ),
    Mutant("not-signed", "the target denies access", "seam.py", _EMIT, "    pass"),
    Mutant(
        "signature-of-the-first-host",
        "the target denies access",
        "seam.py",
        _PREPARED,
        _PREPARED + '    prepared.headers["Authorization"] = previous.headers["Authorization"]\n',
    ),
    # How far.
    Mutant("no-hop-limit", "a request goes round for ever", "chain.py", _LIMIT, "        if False:"),
    Mutant("one-hop-too-many", "max_hops is not what it says", "chain.py", _LIMIT, _LIMIT.replace(">=", ">")),
    Mutant("one-hop-too-few", "max_hops is not what it says", "chain.py", _LIMIT, _LIMIT.replace(">=", "+ 1 >=")),
    Mutant(
        "only-one-hop",
        "a target that redirects again is an error",
        "seam.py",
        "        answer = _redirect_in(outcome, request)\n    _record",
        "        answer = None\n    _record",
    ),
    Mutant(
        "loops-not-noticed",
        "a proxy that names itself is asked until the limit of hops",
        "chain.py",
        "        if url == self.original or any(url == hop.url for hop in self.hops):",
        "        if False:",
    ),
    Mutant(
        "redirect-counted-as-retry",
        "fewer retries than configured, and a wait before each redirect",
        "seam.py",
        "        request = _request_for(chain, request, operation_model, endpoint, call)",
        '        call.params["url"] = str(chain.current)\n'
        '        return None, ConnectionClosedError(endpoint_url="the target", request=request)',
    ),
    # What is remembered, and what is told.
    Mutant(
        "location-remembered",
        "the second request for an object goes where the first one was sent, which may be dead by now",
        "seam.py",
        'answer.headers.get("Location")',
        'vars(_follow_one).setdefault(str(before), answer.headers.get("Location"))',
    ),
    Mutant(
        "chain-shared-by-requests",
        "a request continues where another one was sent",
        "seam.py",
        "            chain = chain or _chain_of(request, endpoint)",
        '            chain = chain or vars(endpoint).setdefault("chain", _chain_of(request, endpoint))',
    ),
    Mutant(
        "hops-not-listed",
        "nobody can see where a request went",
        "seam.py",
        "    _record(outcome, chain)\n",
        "",
    ),
    Mutant(
        "metadata-lost",
        "programs that look at the status or the headers of a response break",
        "seam.py",
        'success[1].setdefault("ResponseMetadata", {})["Redirects"] = _described(chain)',
        'success[1]["ResponseMetadata"] = {"Redirects": _described(chain)}',
    ),
    Mutant(
        "query-in-error-text",
        "tokens and signatures are found in logs and bug reports",
        "location.py",
        '("?..." if hidden else "")',
        '("?" + hidden if hidden else "")',
    ),
    # Whether it is on.
    Mutant("import-patches-nothing", "nothing is followed", "botocore.py", "\npatch()\n", "\n"),
    Mutant(
        "claims-to-be-patched",
        "nothing is followed, and no error says so",
        "patching.py",
        "            setattr(self._class, name, method)",
        "            pass",
    ),
    Mutant(
        "package-patches",
        "who only wants one client to follow has patched the process",
        "__init__.py",
        "\n__all__ = [",
        "\npatch()\n\n__all__ = [",
    ),
    Mutant(
        "unpatch-restores-nothing",
        "unpatched requests are redirected nevertheless",
        "patching.py",
        "                setattr(self._class, name, original)",
        "                pass",
    ),
)
