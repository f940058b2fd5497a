"""Bugs that show only on real sockets, over TLS, in a failing cluster or in the setting of limits.

The four sets do not see them, since in them requests never come to a socket; tests/engine must.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_OTHER_OBJECT = "another object is touched than the one that was meant"
_OTHER_BYTES = "other bytes are stored than were asked for"
_LIMIT_IGNORED = "a limit that the user has set does not hold"
_SECRET_TOLD = "passwords, tokens or signatures are found in logs and bug reports"

_DEBUG = "        urls = redacted(str(before)), redacted(str(chain.current))"

MUTANTS = (
    # Where a Location leads.
    Mutant(
        "http-kept",
        "a target that speaks TLS is spoken to without",
        "location.py",
        "    return Url(new_scheme, netloc, path, query)",
        '    return Url("http" if current.scheme == "http" else new_scheme, netloc, path, query)',
    ),
    Mutant(
        "relative-path-taken-as-it-is",
        "a Location without a host leads to another object, or nowhere",
        "location.py",
        "        rest = _merged(current, rest)",
        '        rest = b"/" + rest',
    ),
    Mutant(
        "dots-in-relative-path-kept",
        "a Location with ../ in it is refused",
        "location.py",
        '    return _without_dot_segments(base[: base.rfind(b"/") + 1] + path) + mark + query',
        '    return base[: base.rfind(b"/") + 1] + path + mark + query',
    ),
    Mutant(
        "api-path-not-known",
        "a cluster with S3-API-via-Root cannot be used without /s3 in the endpoint",
        "location.py",
        "    if may_add_api:",
        "    if False:",
    ),
    Mutant(
        "api-path-twice",
        _OTHER_OBJECT,
        "location.py",
        "    if may_add_api:",
        "    if True:",
    ),
    Mutant(
        "api-path-of-anybody",
        _OTHER_OBJECT,
        "location.py",
        ' and "pid" in _parameter_names((found[1] or "").encode("ascii")):',
        ":",
    ),
    Mutant(
        "api-path-signed",
        "signature version 2 is refused by a cluster with S3-API-via-Root",
        "seam.py",
        "    below = [now[start:] for",
        "    below = [now for",
    ),
    Mutant(
        "fragment-sent",
        "the target rejects the request",
        "location.py",
        'before_fragment = rest.partition(b"#")[0]',
        "before_fragment = rest",
    ),
    Mutant(
        "query-of-raw-bytes-sent-raw",
        "the request is malformed, or never leaves",
        "location.py",
        "_on_the_wire(query) if mark else None",
        'query.decode("latin-1") if mark else None',
    ),
    Mutant(
        "key-read-as-parameters",
        "writing the object x?acl sets access rights of the object x",
        "location.py",
        "        _check_leak(leaked, original)\n",
        "",
    ),
    Mutant(
        "user-in-location-taken",
        "a server has the client send a password that it chose",
        "location.py",
        '    if b"@" in authority:\n',
        '    authority = authority.rpartition(b"@")[2]\n    if b"@" in authority:\n',
    ),
    Mutant(
        "bucket-in-host-not-known",
        "nothing is followed with virtual addressing",
        "seam.py",
        "    bucket = original.host[: -len(below)] if original.host.endswith(below) else None",
        "    bucket = None",
    ),
    Mutant(
        "bucket-known-by-a-like-name",
        _OTHER_OBJECT,
        "location.py",
        "split_netloc(netloc)[0] == original.host\n",
        'netloc.startswith(f"{bucket}.")\n',
    ),
    Mutant(
        "version-2-signs-the-first-resource",
        "with signature version 2 the target denies access",
        "seam.py",
        "    request.auth_path = _resource(",
        "    _resource(",
        needs="botocore>=1.29",
    ),
    Mutant(
        "url-tidied-on-its-way",
        "the target rejects the request, since its query or path is not the proxy's",
        "wire.py",
        "    request.headers.__class__ = _HopHeaders\n    request.headers.url = url",
        "    pass",
    ),
    Mutant(
        "path-cut-on-used-connections",
        "what follows a semicolon in a key is lost, in all requests but the first",
        "wire.py",
        "        return request.headers.url.target\n    target",
        "        return request.headers.url.target.partition(\";\")[0]\n    target",
    ),
    # Connections.
    Mutant(
        "connection-kept-without-its-body",
        "the gateway takes the next request for the body that was not sent",
        "exchange.py",
        "        if not body_was_sent:",
        "        if False:",
    ),
    Mutant(
        "new-connection-kept-without-its-body",
        "the gateway takes the next request for the body that was not sent",
        "wire.py",
        "            self.response_class = functools.partial(_LastAnswer, **self.response_class.keywords)",
        "            pass",
    ),
    Mutant(
        "connections-shared-with-a-fork",
        "one worker reads what another one has asked for",
        "wire.py",
        "                if self._process != os.getpid():\n                    self.begin_anew()",
        "                pass",
    ),
    Mutant(
        "sockets-left-open",
        "a program that runs without garbage collection runs out of sockets",
        "exchange.py",
        "            answer.close()  # until then the socket stays open",
        "            pass",
    ),
    Mutant(
        "two-encodings-accepted",
        "what is signed is not what is sent",
        "exchange.py",
        '    if "Accept-Encoding" not in headers:',
        "    if True:",
    ),
    Mutant(
        "header-names-not-checked",
        "metadata is stored under another name",
        "exchange.py",
        "        if not _is_legal_name(name):",
        "        if False:",
    ),
    Mutant(
        "lengths-read-loosely",
        "a download hangs until it times out",
        "exchange.py",
        '    if not _is_length(headers.get("Content-Length", "0")) or "," in headers.get("Transfer-Encoding", ""):',
        "    if False:",
    ),
    Mutant(
        "error-of-a-hook-taken-for-the-servers",
        "what a program raises in a hook it cannot catch",
        "seam.py",
        "        if _is_of_a_users_hook(error):",
        "        if False:",
    ),
    # Bodies.
    Mutant(
        "body-sent-to-the-proxy",
        "everything goes over the wire twice",
        "wire.py",
        'return b"" if self._connection._response_received else self._body.read(size)',
        "return self._body.read(size)",
        needs="urllib3>=2",
    ),
    Mutant(
        "body-sent-to-the-proxy-on-used-connections",
        "everything but the first object goes over the wire twice",
        "exchange.py",
        " and not answer.says_continue():\n                return False\n",
        " and answer.says_continue():\n                pass\n",
    ),
    Mutant(
        "framed-body-resent-from-zero",
        _OTHER_BYTES,
        "body.py",
        "            if self._start is not None:",
        "            if self._start is not None and self._framed is None:",
        needs="botocore>=1.36",
    ),
    Mutant(
        "used-up-stream-resent",
        "an object without its beginning is stored",
        "body.py",
        "            if self._stream.was_read:\n                raise NotRewindable\n",
        "",
    ),
    Mutant(
        "unread-stream-not-sent",
        "pipes cannot be uploaded",
        "body.py",
        "            if self._stream.was_read:",
        "            if True:",
    ),
    Mutant(
        "body-not-rewound-for-a-retry",
        _OTHER_BYTES,
        "seam.py",
        "    try:\n        body.rewind()\n",
        "    try:\n        pass\n",
    ),
    Mutant(
        "answers-read-into-memory",
        "a large download takes as much memory",
        "seam.py",
        "    request.stream_output = previous.stream_output\n",
        "",
    ),
    # Failures.
    Mutant(
        "retried-at-the-target",
        "a dead target is asked until the attempts are used up, and the proxy never again",
        "seam.py",
        "    url = chain.current\n",
        '    url = chain.current\n    call.params["url"] = str(url)\n',
    ),
    Mutant(
        "hops-missing-in-errors",
        "nobody can see where a refused request went",
        "seam.py",
        '        "Redirects": _described(chain),',
        '        "Redirects": [],',
    ),
    Mutant(
        "endless-header-retried",
        "a server that answers nonsense is asked again and again",
        "exchange.py",
        "    if isinstance(error, http.client.LineTooLong):",
        "    if False:",
    ),
    Mutant(
        "other-exceptions-reach-the-caller",
        "programs that catch botocore's errors end with a traceback",
        "seam.py",
        "    except _STUMBLED as error:",
        "    except ZeroDivisionError as error:",
    ),
    # Limits.
    Mutant(
        "downgrade-allowed",
        "what was sent over TLS is sent again in the clear",
        "policy.py",
        'if current.scheme == "https" and url.scheme == "http" and not self.allow_downgrade:',
        "if False:",
    ),
    Mutant(
        "downgrade-never-allowed",
        "allow_downgrade=True does nothing",
        "policy.py",
        'url.scheme == "http" and not self.allow_downgrade:',
        'url.scheme == "http":',
    ),
    Mutant(
        "hosts-not-checked",
        "a redirect leads out of the hosts that the user allows",
        "policy.py",
        "        if self._hosts is not None and url.host != original.host and not self._hosts.allow(url.host):",
        "        if False:",
    ),
    Mutant(
        "networks-match-nothing",
        "no target is allowed by its network",
        "policy.py",
        "address.version == network.version and address in network",
        "address.version != network.version and address in network",
    ),
    Mutant(
        "max-hops-ignored",
        _LIMIT_IGNORED,
        "chain.py",
        "if len(self.hops) >= policy.max_hops:",
        "if len(self.hops) >= 5:",
    ),
    Mutant(
        "environment-ignored",
        _LIMIT_IGNORED,
        "patching.py",
        "        return RedirectPolicy.from_environment()",
        "        return RedirectPolicy()",
    ),
    Mutant(
        "misspelt-limit-ignored",
        _LIMIT_IGNORED,
        "policy.py",
        "            if setting not in _READERS:\n",
        "            if setting not in _READERS:\n                continue\n",
    ),
    Mutant(
        "policy-of-a-client-ignored",
        _LIMIT_IGNORED,
        "patching.py",
        "        methods = seam.wrapped(base, lambda: chosen)",
        "        methods = seam.wrapped(base, lambda: _policy)",
    ),
    # Connections.
    Mutant(
        "ten-pools",
        "on a large cluster every request opens a connection",
        "wire.py",
        "POOLS = 1024",
        "POOLS = 10",
    ),
    Mutant(
        "no-proxy-of-the-first-host",
        "requests to a target go through a proxy that must not see them, or cannot reach it",
        "wire.py",
        "        self._proxy_config.learn(url)",
        "        pass",
    ),
    Mutant(
        "proxies-of-the-client-ignored",
        "targets are not reached where only the proxy can",
        "wire.py",
        "        if not proxies_are_explicit and type(session._proxy_config) is ProxyConfiguration:",
        "        if type(session._proxy_config) is ProxyConfiguration:",
    ),
    Mutant(
        "certificates-not-verified",
        "whoever stands between client and target reads and changes everything",
        "wire.py",
        "        _Session.begin_anew(session)\n",
        "        _Session.begin_anew(session)\n        session._verify = False\n",
    ),
    # What is told.
    Mutant("query-in-connection-errors", _SECRET_TOLD, "seam.py", "        _hide_query(exception)", "        pass"),
    Mutant("query-in-logs", _SECRET_TOLD, "seam.py", _DEBUG, "        urls = str(before), str(chain.current)"),
    # Turning it on and off.
    Mutant(
        "unknown-botocore-patched",
        "with a botocore to come, requests fail in ways that nobody understands",
        "patching.py",
        "        seam.check_supported(endpoint_class)\n        new = ",
        "        new = ",
    ),
    Mutant(
        "only-new-clients-follow",
        "clients made before the patch raise errors",
        "patching.py",
        "        new = _Patch(seam, endpoint_class)",
        '        endpoint_class = type("Endpoint", (), dict(vars(endpoint_class)))\n'
        '        sys.modules["botocore.endpoint"].Endpoint = endpoint_class\n'
        "        new = _Patch(seam, endpoint_class)",
    ),
    Mutant(
        "patched-twice",
        "one unpatch is not enough after two patches",
        "patching.py",
        "    if _patch is None:\n        seam, endpoint_class",
        "    if True:\n        seam, endpoint_class",
    ),
    Mutant(
        "patched-for-good-by-the-context-manager",
        "the rest of the program is patched too",
        "patching.py",
        "                if not current.asked:\n                    unpatch()",
        "                pass",
    ),
    Mutant(
        "policy-left-behind-by-the-context-manager",
        "the limits of a block hold after it",
        "patching.py",
        "                current.asked = _without(block, current.asked)",
        "                current.asked = (*_without(block, current.asked)[:-1], block) if current.asked[1:] else ()",
    ),
    Mutant(
        "import-patches-only-once",
        "imported again after unpatch, the patch does nothing",
        "patching.py",
        '        sys.modules.pop(f"{__package__}.botocore", None)\n',
        "",
    ),
    Mutant(
        "clients-never-collected",
        "memory grows with every client",
        "patching.py",
        '"_aistore_patch_base": base})\n',
        '"_aistore_patch_base": base})\n        vars(seam).setdefault("clients", []).append(client)\n',
    ),
)
