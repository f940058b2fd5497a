"""What the patch stands on in botocore, urllib3 and Python: names only, for those who watch their releases.

A release that changes the meaning of one of these may break the patch even where nothing raises. Which of them a
release has (some are older or newer than others) is part of what tells releases apart.
"""

from __future__ import annotations

FUNCTIONS = (
    # The loop that the seam works in: what is called, how often, and what becomes of its results.
    "botocore.endpoint:Endpoint._send_request",
    "botocore.endpoint:Endpoint._get_response",
    "botocore.endpoint:Endpoint._do_get_response",
    "botocore.endpoint:Endpoint._needs_retry",
    "botocore.endpoint:Endpoint._send",
    "botocore.endpoint:Endpoint.create_request",
    "botocore.endpoint:Endpoint.prepare_request",
    "botocore.endpoint:convert_to_response_dict",
    # How a request is made again for another URL, and signed.
    "botocore.awsrequest:create_request_object",
    "botocore.awsrequest:AWSRequest.__init__",
    "botocore.awsrequest:AWSRequestPreparer.prepare",
    "botocore.awsrequest:AWSRequestPreparer._prepare_url",
    "botocore.awsrequest:AWSPreparedRequest.__init__",
    "botocore.awsrequest:AWSPreparedRequest.reset_stream",
    "botocore.awsrequest:HeadersDict.copy",
    "botocore.signers:RequestSigner.handler",
    "botocore.httpchecksum:AwsChunkedWrapper.seek",
    # How it goes over the wire.
    "botocore.awsrequest:AWSHTTPResponse.__init__",
    "botocore.awsrequest:AWSHTTPResponse._read_status",
    "botocore.awsrequest:AWSConnection.request",
    "botocore.awsrequest:AWSConnection._send_request",
    "botocore.awsrequest:AWSConnection._send_output",
    "botocore.awsrequest:AWSConnection._handle_expect_response",
    "botocore.awsrequest:AWSConnection._is_100_continue_status",
    "botocore.awsrequest:AWSConnection._send_message_body",
    "botocore.awsrequest:AWSConnection.send",
    "botocore.awsrequest:AWSResponse.__init__",
    "botocore.httpsession:URLLib3Session.__init__",
    "botocore.httpsession:URLLib3Session.send",
    "botocore.httpsession:URLLib3Session._get_pool_manager_kwargs",
    "botocore.httpsession:URLLib3Session._get_request_timeout",
    "botocore.httpsession:ProxyConfiguration.__init__",
    "botocore.httpsession:ProxyConfiguration.proxy_url_for",
    "botocore.utils:get_environ_proxies",
    "botocore.utils:should_bypass_proxies",
    # What else acts on an S3 redirect, and must be left to act on those of AWS.
    "botocore.utils:S3RegionRedirector.redirect_from_error",
    "botocore.utils:S3RegionRedirectorv2.redirect_from_error",
)
"""`module:qualified.name` of each function of botocore."""

URLLIB3_FUNCTIONS = (
    "urllib3.connection:_normalize_header_values",
    "urllib3._collections:HTTPHeaderDict.getlist",
    "urllib3._collections:RecentlyUsedContainer.__init__",
    "urllib3.poolmanager:PoolManager.__init__",
    "urllib3.poolmanager:PoolManager.connection_from_url",
    "urllib3.connection:HTTPConnection.connect",
    "urllib3.connection:HTTPConnection.request",
    "urllib3.connection:HTTPConnection.request_chunked",
    "urllib3.connection:HTTPConnection.getresponse",
    "urllib3.connection:HTTPConnection.putrequest",
    "urllib3.connection:HTTPConnection.putheader",
    "urllib3.connection:HTTPConnection.close",
    "urllib3.connectionpool:HTTPConnectionPool._get_conn",
    "urllib3.connectionpool:HTTPConnectionPool._put_conn",
    "urllib3.connectionpool:HTTPConnectionPool._new_conn",
    "urllib3.connectionpool:HTTPConnectionPool._make_request",
    "urllib3.connectionpool:HTTPConnectionPool._raise_timeout",
    "urllib3.connectionpool:HTTPConnectionPool.urlopen",
    "urllib3.response:HTTPResponse.__init__",
    "urllib3.util.request:body_to_chunks",
    "urllib3.util.timeout:Timeout.__init__",
    "urllib3.util.url:_encode_target",
)
"""The same for urllib3: what `connection` and `session` override, and what `short_way` does in its stead."""

PYTHON_FUNCTIONS = (
    "http.client:HTTPResponse.__init__",
    "http.client:HTTPResponse.begin",
    "http.client:HTTPResponse._read_status",
    "http.client:HTTPResponse._check_close",
    "http.client:HTTPResponse.read",
    "http.client:HTTPConnection.putrequest",
    "http.client:HTTPConnection.putheader",
    "http.client:HTTPConnection._send_output",
    "http.client:HTTPConnection._send_request",
    "http.client:HTTPConnection.send",
    "http.client:HTTPConnection.getresponse",
    "http.client:HTTPConnection.close",
)
"""The same for the standard library of a Python."""

CONTEXT_KEYS = ("client_config",)
"""The keys that are read in the context of a request (`request_dict["context"]`)."""
