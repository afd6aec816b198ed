"""Real servers on 127.0.0.1, each answering with exactly the bytes a test wants."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Speak = Callable[[socket.socket], None]
"""What a server does with a connection after it has read a request."""


class Server:
    """A server that is running: where, and what it was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []
        self.names: list[str | None] = []

    @property
    def head(self) -> str:
        """The first request's head."""
        return self.requests[0].partition(b"\r\n\r\n")[0].decode()

    @property
    def content(self) -> bytes:
        """The first request's content."""
        return self.requests[0].partition(b"\r\n\r\n")[2]


def saying(*parts: bytes) -> Speak:
    """Answer with these bytes."""

    def speak(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return speak


def answering(content: bytes, *headers: str, status: str = "200 OK") -> Speak:
    """Answer with a complete response of HTTP/1.1."""
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers))
    return saying(head.encode() + b"\r\n\r\n" + content)


@contextmanager
def serving(speak: Speak, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve until the end of the block. The last connection's thread is waited for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener.getsockname()[1])
        if tls is not None:
            tls.sni_callback = lambda _, name, __: server.names.append(name)

        def one(connection: socket.socket) -> None:
            # A client that hangs up early is what some tests are about.
            with suppress(OSError), connection:
                connection.settimeout(5)
                spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
                with spoken:
                    server.requests.append(_read_request(spoken))
                    speak(spoken)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                one(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server
        finally:
            # Closing alone does not wake a thread that accepts.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def certified(*names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for these names, and a client's context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with _file(pem + _private(key)) as path:
        server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(content)
        file.flush()
        yield file.name


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_request(connection: socket.socket) -> bytes:
    found = b""
    while b"\r\n\r\n" not in found:
        part = connection.recv(65536)
        if not part:
            return found
        found += part
    head, _, content = found.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(content) < length:
        part = connection.recv(65536)
        if not part:
            break
        content += part
    return head + b"\r\n\r\n" + content
