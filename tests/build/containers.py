"""The container engine that SAM uses here, and the address at which its containers reach servers on this machine.

An engine on this machine connects its containers to a bridge, and the bridge's gateway is an address of this machine. The
servers of the tests listen on that address only. An engine in a virtual machine (Docker Desktop, Podman and Finch on macOS)
forwards a name to the loopback address instead. A container tries the candidates and so finds the one that works.
"""

import gc
import os
import socketserver
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import docker
from samcli.local.docker.container_client_factory import ContainerClientFactory
from samcli.local.docker.exceptions import ContainerEnforcementException, ContainerNotReachableException
from samcli.local.docker.lambda_image import LambdaImage, Runtime

LOOPBACK = "127.0.0.1"
HOST_VARIABLE = "HOST_IN_CONTAINERS"
FORWARDED_HOSTS = (
    "host.docker.internal",  # Docker Desktop, Podman's virtual machine, Colima, Rancher Desktop
    "host.containers.internal",  # Podman
    "192.168.5.2",  # Lima, the virtual machine of Finch
    "10.0.2.2",  # slirp4netns, the network of rootless engines
)
PYTHON = "/var/lang/bin/python3"  # in Lambda's images
GREETING = b"reached"
_CONNECT = """\
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
sys.exit(connection.recv(9) != b"reached")"""

NO_ENGINE = (
    "No container engine answers, so the functions were not run in containers: `sam local invoke` needs Docker, Podman or Finch,"
    " running, at the default address or at the one in DOCKER_HOST"
)
UNREACHABLE = f"""\
Containers of this engine do not reach this machine. Tried: {{tried}}.
Set {HOST_VARIABLE} to the name or address by which a container reaches 127.0.0.1 of this machine. Rootless Podman has none until
containers.conf says, for example: [network] pasta_options = ["--map-host-loopback", "169.254.1.1"]; then it is 169.254.1.1."""


class UnreachableHostError(Exception):
    """No address was found at which containers reach this machine."""


@dataclass(frozen=True)
class Route:
    """The address that a server on this machine listens on, and the host that a container connects to."""

    listen: str = LOOPBACK
    host: str = LOOPBACK

    def in_container(self, value: str) -> str:
        """Return a setting as a container needs it: URLs of servers on this machine name the container's host."""
        return value.replace(f"//{self.listen}:", f"//{self.host}:")


@contextmanager
def engine() -> Iterator[Any]:
    """Give a client of the engine that SAM finds, or None."""
    found = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # SAM does not close the clients of engines that do not answer
        with suppress(ContainerNotReachableException, ContainerEnforcementException):
            found = ContainerClientFactory.create_client()
        gc.collect()
    try:
        yield found
    finally:
        if found:
            found.close()


def lambda_image(runtime: str, architecture: str) -> str:
    """Return the name of the image that SAM runs a function in."""
    return f"{LambdaImage._INVOKE_REPO_PREFIX}/{Runtime.get_image_name_tag(runtime, architecture)}"


@contextmanager
def route_to_host(client: Any, image: str) -> Iterator[Route]:
    """Give the route from containers to this machine, and pull the image first when it is absent.

    A container stays until the end, because Podman's bridge exists only while a container uses it.

    Raises:
        UnreachableHostError: no candidate works.
    """
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        client.images.pull(image)
    container = client.containers.run(
        image, entrypoint=[PYTHON, "-c", "import time; time.sleep(7200)"], command=[], detach=True
    )
    try:
        container.reload()
        yield _first_that_works(container, candidates(container.attrs))
    finally:
        container.remove(force=True)


def candidates(container: dict[str, Any]) -> list[Route]:
    """Return the routes worth trying, best first, from what the engine says about a container."""
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    gateways = [network["Gateway"] for network in networks.values() if network.get("Gateway")]
    chosen = os.environ.get(HOST_VARIABLE)
    if chosen:
        return [Route(host=chosen)]
    return [*(Route(gateway, gateway) for gateway in gateways), *(Route(host=host) for host in FORWARDED_HOSTS)]


def _first_that_works(container: Any, routes: Iterable[Route]) -> Route:
    tried = []
    for route in routes:
        if _reaches(container, route):
            return route
        tried.append(f"{route.host} for {route.listen}")
    raise UnreachableHostError(UNREACHABLE.format(tried=", ".join(tried)))


def _reaches(container: Any, route: Route) -> bool:
    try:
        server = socketserver.TCPServer((route.listen, 0), _Greet)
    except OSError:
        return False  # the gateway is an address of a virtual machine
    with server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            # A forwarder may accept a connection before it has one to this machine: only the greeting proves it.
            done = container.exec_run([PYTHON, "-c", _CONNECT, route.host, str(server.server_address[1])])
            return bool(done.exit_code == 0)
        finally:
            server.shutdown()


class _Greet(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(GREETING)
