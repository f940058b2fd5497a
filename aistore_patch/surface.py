"""What the patch stands on in botocore: names only, for those who watch botocore's releases.

A release that changes the meaning of one of these functions may break the patch even where nothing raises. Which of
them a release has (some are older or newer than others) is part of what tells releases apart.
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
    "botocore.awsrequest:AWSRequestPreparer.prepare",
    "botocore.awsrequest:AWSRequestPreparer._prepare_url",
    "botocore.awsrequest:AWSPreparedRequest.__init__",
    "botocore.awsrequest:AWSPreparedRequest.reset_stream",
    "botocore.awsrequest:HeadersDict.copy",
    "botocore.signers:RequestSigner.handler",
    "botocore.httpchecksum:AwsChunkedWrapper.seek",
    # How it goes over the wire.
    "botocore.awsrequest:AWSConnection._send_output",
    "botocore.awsrequest:AWSConnection._handle_expect_response",
    "botocore.httpsession:URLLib3Session.__init__",
    "botocore.httpsession:URLLib3Session.send",
    "botocore.httpsession:URLLib3Session._get_request_timeout",
    "botocore.httpsession:ProxyConfiguration.__init__",
    "botocore.httpsession:ProxyConfiguration.proxy_url_for",
    "botocore.utils:get_environ_proxies",
    "botocore.utils:should_bypass_proxies",
    # What else acts on an S3 redirect, and must be left to act on those of AWS.
    "botocore.utils:S3RegionRedirector.redirect_from_error",
    "botocore.utils:S3RegionRedirectorv2.redirect_from_error",
)
"""`module:qualified.name` of each function."""

CONTEXT_KEYS = ("client_config",)
"""The keys that are read in the context of a request (`request_dict["context"]`)."""
