"""Where a page is served, and by which names browsers reach it."""

from __future__ import annotations

import ipaddress
import socket

from migrator.core.errors import DependencyError, UsageError

DEFAULT_ADDRESS = "127.0.0.1:8799"
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
LAST_PORT = 65535


class Address:
    """Where to listen: an address, not a name, so that it is plain who can reach it.

    Args:
        listen: `127.0.0.1:8799`, `[::1]:8799`; port 0 is any free one.
        key: Where it was written, as a message names it.

    Raises:
        UsageError: It is no address with a port.
    """

    def __init__(self, listen: str, *, key: str = "--listen") -> None:
        self._key = key
        host, _, port = listen.rpartition(":")
        try:
            self.ip = ipaddress.ip_address(host.strip("[]"))
        except ValueError as error:
            raise self._no_address(listen) from error
        if not port.isdecimal() or int(port) > LAST_PORT:
            raise self._no_address(listen)
        self.port = int(port)
        self.host = f"[{self.ip}]" if self.ip.version == 6 else str(self.ip)  # noqa: PLR2004

    @property
    def is_local(self) -> bool:
        """Tell whether nobody but this machine reaches it."""
        return self.ip.is_loopback

    def listener(self) -> socket.socket:
        """Listen.

        Raises:
            DependencyError: The port is taken, or may not be used.
        """
        family = socket.AF_INET6 if self.ip.version == 6 else socket.AF_INET  # noqa: PLR2004
        try:
            return socket.create_server((str(self.ip), self.port), family=family)
        except OSError as error:
            raise DependencyError(
                f"cannot listen on {self.host}:{self.port}: {error.strerror}",
                hint=f"choose another {self._key}",
            ) from error

    def said(self, listener: socket.socket) -> str:
        """Give it with the port that it got."""
        return f"{self.host}:{listener.getsockname()[1]}"

    def hosts(self, listener: socket.socket, names: tuple[str, ...]) -> frozenset[str]:
        """Give the Host headers that lead here honestly; a proxy's name may come without a port."""
        port = listener.getsockname()[1]
        own = LOCAL_NAMES if self.is_local else (self.host,)
        return frozenset(f"{name}:{port}" for name in (*own, *names)) | frozenset(names)

    def _no_address(self, listen: str) -> UsageError:
        return UsageError(
            f"{self._key} {listen}: write an address and a port", hint=DEFAULT_ADDRESS
        )
