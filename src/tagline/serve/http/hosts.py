"""The names under which a server without an API key answers.

A web page can let its own name resolve to 127.0.0.1 (DNS rebinding), and then reads what a server of this machine
answers, as from its own origin. The `Host` of such a request is the name of the page.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable

_LOCAL = "localhost"
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:]*))(?::\d*)?")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach what listens on ``host``."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(address[4][0]).partition("%")[0]).is_loopback for address in found)


def is_allowed(header: str, names: Iterable[str]) -> bool:
    """Return whether the ``Host`` header of a request is this machine, or one of the lower-case ``names``.

    >>> is_allowed("LOCALHOST:80", []), is_allowed("[::1]:80", []), is_allowed("Demo.example.:1", ["demo.example"])
    (True, True, True)
    >>> is_allowed("[::1].demo.example", []), is_allowed("localhost:demo.example", [])
    (False, False)
    >>> is_allowed("demo.example", []), is_allowed("127.0.0.1.demo.example", []), is_allowed("10.0.0.1", [])
    (False, False, False)
    """
    found = _HOST.fullmatch(header.strip().lower())
    if found is None:
        return False
    name = found[1] or found[2].removesuffix(".")
    if name == _LOCAL or name in names:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
