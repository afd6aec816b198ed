"""Connections to addresses that were checked before, with one deadline for all their steps."""

import socket
import ssl
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any

import httpcore

from pytake.effects.errors import CallFailedError


class Deadline:
    """The deadline of a call. Timeouts of single reads would not end a response that arrives byte by byte."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, more than zero. Raises `CallFailedError` when there are none."""
        left = self._ends_at - monotonic()
        if left <= 0:
            raise out_of_time()
        return left

    def has(self, seconds: float) -> bool:
        """Whether more than this time is left."""
        return self._ends_at - monotonic() > seconds


def out_of_time() -> CallFailedError:
    """The error of an expired deadline."""
    return CallFailedError("timeout", "The server did not answer in time.")


class PinnedNetwork(httpcore.NetworkBackend):
    """Connects to the given addresses, whatever the host name resolves to now (DNS rebinding).

    httpcore still uses the name for SNI, for the certificate and in `Host`.
    """

    def __init__(self, addresses: Sequence[str], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the name; it must not be looked up again
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline decides
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Connects to the first address that accepts. Each address gets its share of the time."""
        for left in range(len(self._addresses), 0, -1):
            address = self._addresses[-left]
            try:
                connected = socket.create_connection((address, port), self._deadline.remaining() / left)
            except OSError:
                continue
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _Stream(connected, self._deadline)
        self._deadline.remaining()
        raise CallFailedError("connection_failed", "The server did not accept the connection.")


class _Stream(httpcore.NetworkStream):
    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        self._socket.settimeout(self._deadline.remaining())
        try:
            return self._socket.recv(max_bytes)
        except TimeoutError:
            raise out_of_time() from None
        except OSError:
            raise CallFailedError("connection_lost", "The server cut the connection.") from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        view = memoryview(buffer)
        try:
            while view:
                self._socket.settimeout(self._deadline.remaining())
                view = view[self._socket.send(view) :]
        except TimeoutError:
            raise out_of_time() from None
        except OSError:
            # httpcore then reads a response: a server may reject a request before it has read all of it.
            raise httpcore.WriteError from None

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(self._deadline.remaining())  # for the whole handshake, not for single reads
            return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._deadline)
        except TimeoutError:
            failed = out_of_time()
        except CallFailedError as error:
            failed = error
        except ssl.SSLCertVerificationError:
            failed = CallFailedError("certificate_invalid", "The server's certificate is not valid.")
        except (OSError, ValueError):  # ValueError: a name that a certificate cannot contain
            failed = CallFailedError("tls_failed", "A secure connection could not be established.")
        self.close()  # httpcore closes only streams that it received
        raise failed

    def close(self) -> None:
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ARG002
        return None
