"""TLS for nodes and their clients, with the test certificates beside this file."""

from __future__ import annotations

import ssl
from pathlib import Path

CERTIFICATES = Path(__file__).with_name("certificates")
AUTHORITY = str(CERTIFICATES / "authority.pem")
"""For clients: `verify=AUTHORITY`, or `AWS_CA_BUNDLE`."""
CLIENT = str(CERTIFICATES / "client.pem")
"""For clients: key and certificate in one file, `Config(client_cert=CLIENT)`."""


def server_context(certificate: str = "server", *, asks_client: bool = False) -> ssl.SSLContext:
    """What makes a node speak TLS.

    :param certificate: `server` (for every loopback address and localhost), `other-name` (for another host
        only) or `untrusted` (of an authority that no client trusts)
    :param asks_client: refuse clients that do not show the `CLIENT` certificate
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(CERTIFICATES / f"{certificate}.pem"))
    if asks_client:
        context.load_verify_locations(AUTHORITY)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
