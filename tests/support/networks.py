"""A network of our own whose route can be dropped: packets vanish, and nobody hangs up.

The far end of a pair of virtual interfaces is in a network namespace. What listens there is a
socket of this process, so that a proxy leads from the far address to servers of the near side.
"""

import ctypes
import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

_NAMED_NAMESPACES = "/var/run/netns"
_CLONE_NEWNET = 0x40000000  # setns(2)
# A block for tests of networks (RFC 2544): no machine of a real network has such an address.
_BLOCK = "198.18"


@dataclass(frozen=True)
class FarNetwork:
    """The far side of the pair; `address` is its own, `near` is ours."""

    namespace: str
    address: str
    near: str

    def listen(self) -> socket.socket:
        """Open a listening socket at the far side; blocks for a moment."""
        opened: list[socket.socket] = []
        # A thread has a namespace of its own, and a socket stays in that of the thread it is from.
        thread = threading.Thread(target=lambda: opened.append(self._listen()))
        thread.start()
        thread.join()
        return opened[0]

    def drop_route(self) -> None:
        """Let whatever the far side sends to us vanish, acknowledgements too."""
        _ip("-n", self.namespace, "route", "add", "blackhole", f"{self.near}/32")

    def restore_route(self) -> None:
        """Let packets through again."""
        _ip("-n", self.namespace, "route", "del", "blackhole", f"{self.near}/32")

    def _listen(self) -> socket.socket:
        namespace = os.open(f"{_NAMED_NAMESPACES}/{self.namespace}", os.O_RDONLY)
        try:
            # `os.setns` came with Python 3.12
            library = ctypes.CDLL(None, use_errno=True)
            if library.setns(namespace, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(namespace)
        return socket.create_server((self.address, 0), backlog=256)


@contextmanager
def far_network() -> Iterator[FarNetwork]:
    """Make a network namespace and a way to it while the block runs."""
    name = f"coco-{secrets.token_hex(4)}"  # of an interface at most 15 characters
    net = f"{_BLOCK}.{secrets.randbelow(256)}.{4 * secrets.randbelow(64)}"
    block, _, last = net.rpartition(".")
    near, far = f"{block}.{int(last) + 1}", f"{block}.{int(last) + 2}"
    _ip("netns", "add", name)
    try:
        # The far interface goes with its namespace, and ours with it.
        _ip("link", "add", name, "type", "veth", "peer", "name", "far", "netns", name)
        _ip("addr", "add", f"{near}/30", "dev", name)
        _ip("link", "set", name, "up")
        _ip("-n", name, "addr", "add", f"{far}/30", "dev", "far")
        _ip("-n", name, "link", "set", "far", "up")
        yield FarNetwork(name, far, near)
    finally:
        _ip("netns", "del", name)


@cache
def networks_can_be_made() -> bool:
    """Say whether this process may make network namespaces and has the tool for it."""
    try:
        with far_network():
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)  # noqa: S607 - found where the machine has it
