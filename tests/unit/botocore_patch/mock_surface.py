"""What the mock stands on in moto: names only, for those who watch moto's releases.

The mock finds its places in moto when it starts (`find_seam` in mock_s3_redirect.py) and says what it misses. Here is
what else it counts on: how a request comes to moto, how moto answers it, and how it is switched on and off. Names that
only moto 4 has, or only moto 5, are part of what tells releases apart.
"""

from __future__ import annotations

FUNCTIONS = (
    # The handler of botocore's before-send event that the mock puts itself in front of.
    "moto.core.models:botocore_stubber",
    "moto.core.botocore_stubber:BotocoreStubber.__init__",
    "moto.core.botocore_stubber:BotocoreStubber.__call__",
    "moto.core.botocore_stubber:BotocoreStubber.process_request",
    "moto.core.botocore_stubber:MockRawResponse.stream",
    # What switches it on and off: moto 5, then moto 4.
    "moto:mock_aws",
    "moto.core.decorator:mock_aws",
    "moto.core.models:MockAWS.start",
    "moto.core.models:MockAWS.stop",
    "moto.core.models:MockAWS._enable_patching",
    "moto.core.models:MockAWS._disable_patching",
    "moto:mock_s3",
    "moto.core.models:BaseMockAWS.start",
    "moto.core.models:BaseMockAWS.stop",
    "moto.core.models:BotocoreEventMockAWS.enable_patching",
    "moto.core.models:BotocoreEventMockAWS.disable_patching",
    # What the mock takes away to save time.
    "moto.s3.models:reload",
)
"""`module:qualified.name` of each function, or of anything else that has a name."""
