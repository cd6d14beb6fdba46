"""Sockets that notice when the other end has vanished without FIN or RST.

The kernel's own defaults notice that after 15 minutes (unsent data) or two hours (keepalives).
"""

import socket

#: From here on, data that nobody acknowledges ends a connection.
UNACKNOWLEDGED_SECONDS = 30

AddressInfo = tuple[
    int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]


def watched_socket(address: AddressInfo) -> socket.socket:
    """Return an unconnected socket; options that a system lacks are left out (tcp(7))."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", 20),  # seconds
        ("TCP_KEEPINTVL", 5),  # seconds
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_SECONDS * 1000),
    ):
        if option := getattr(socket, name, None):
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
