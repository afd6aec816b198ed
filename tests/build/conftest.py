"""Fixtures: one `sam build` per test run, the functions in sandboxes, and the AWS and Graph API that their events need."""

import json
import os
import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from samcli.yamlhelper import yaml_parse

from tests.build.containers import NO_ENGINE, Route, engine, lambda_image, route_to_host
from tests.build.lambda_sandbox import REGION, VERSION, Sandbox, sandbox
from tests.build.sam_local import SamLocal
from tests.stack import table_definition

REPOSITORY = Path(__file__).parents[2]
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
FUNCTIONS = {
    "webhook": "WebhookFunction",
    "flow_runner": "FlowRunnerFunction",
    "sender": "SenderFunction",
    "statuses": "StatusesFunction",
    "scheduled": "ScheduledFunction",
    "api": "ApiFunction",
    "console": "ConsoleFunction",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """How the built functions run."""
    parser.addoption("--sam-local", action="store_true", help="run the built functions by sam local invoke")
    parser.addoption(
        "--skip-without-engine", action="store_true", help="skip --sam-local where no container engine answers"
    )


def in_containers(config: pytest.Config) -> bool:
    """Whether the functions run in containers."""
    return bool(config.getoption("--sam-local", default=False))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without an engine, skip what needs one and say why, or end at once."""
    if not in_containers(config):
        return
    with engine() as found:
        if found:
            return
    if not config.getoption("--skip-without-engine"):
        pytest.exit(NO_ENGINE, returncode=3)
    for item in items:
        item.add_marker(pytest.mark.skip(reason=NO_ENGINE))


def sam_build(folder: Path, *what: str, **parameters: str) -> Path:
    """Run `sam build` with these parameters into `folder`, and return it."""
    command = [str(Path(sys.executable).with_name("sam")), "build", *what, "--template-file", "template.yaml"]
    command += ["--build-dir", str(folder), "--parameter-overrides"]
    command += [f"{name}={value}" for name, value in parameters.items()]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))},
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(folder.parent),
        "AWS_DEFAULT_REGION": REGION,
    }
    if platform.system() != "Linux":
        environment["LAYER_PLATFORM"] = "host"
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def parameters(request: pytest.FixtureRequest) -> dict[str, str]:
    """The template's parameters: this machine's processor and Python; in containers, the runtime that is deployed."""
    chosen = {"Stage": "local", "Architecture": ARCHITECTURE}
    return chosen if in_containers(request.config) else {**chosen, "PythonRuntime": f"python{VERSION}"}


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory, parameters: dict[str, str]) -> Path:
    """The folder with the output of `sam build`."""
    return sam_build(tmp_path_factory.mktemp("build") / "out", **parameters)


@pytest.fixture(scope="session")
def built_layer(build: Path) -> Path:
    """The layer's `python` folder."""
    return build / "CoreLayer" / "python"


@pytest.fixture(scope="session")
def lake_layer(build: Path) -> Path:
    """The `python` folder of the scheduled function's second layer."""
    return build / "LakeLayer" / "python"


@pytest.fixture(scope="session")
def route(request: pytest.FixtureRequest) -> Iterator[Route]:
    """Where the servers of the tests listen and how the functions reach them. No other machine can connect to it."""
    if not in_containers(request.config):
        yield Route()
        return
    runtime = yaml_parse((REPOSITORY / "template.yaml").read_text())["Parameters"]["PythonRuntime"]["Default"]
    with engine() as client, route_to_host(client, lambda_image(runtime, ARCHITECTURE)) as route:
        yield route


def free_port(address: str) -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory, route: Route) -> Iterator[str]:
    """The address of an empty embedded AWS."""
    folder = tmp_path_factory.mktemp("aws")
    port = free_port(route.listen)
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": route.listen,
        "MINISTACK_HOST": route.listen,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("ministack"))], env=environment, stdout=log, stderr=log
        )
    try:
        address = f"http://{route.listen}:{port}"
        retry = httpx.HTTPTransport(retries=10)  # it listens within a second; the delay between retries grows
        with httpx.Client(transport=retry, trust_env=False) as client:
            client.get(f"{address}/_ministack/health", timeout=20).raise_for_status()
        yield address
    finally:
        process.terminate()
        process.wait()


class Graph:
    """A Graph API that accepts every request and records it."""

    def __init__(self, address: str) -> None:
        """Listen on a free port of this address."""
        self.taken: list[tuple[str, dict[str, Any]]] = []
        graph = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                graph.taken.append((self.path, body))
                if "status" in body:  # a read receipt
                    return self._answer({"success": True})
                sent = sum("status" not in payload for _, payload in graph.taken)
                return self._answer({"messaging_product": "whatsapp", "messages": [{"id": f"wamid.SENT{sent}"}]})

            def do_GET(self) -> None:  # a profile
                self._answer({"id": self.path.rsplit("/", 1)[-1].partition("?")[0]})

            def _answer(self, answer: dict[str, Any]) -> None:
                text = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{address}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def graph(route: Route) -> Iterator[Graph]:
    """A Graph API."""
    graph = Graph(route.listen)
    yield graph
    graph.close()


@pytest.fixture(scope="session")
def client(aws: str) -> Callable[[str], Any]:
    """Makes clients of the AWS that the functions use."""

    def make(service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=aws,
            region_name=REGION,
            aws_access_key_id="000000000000",
            aws_secret_access_key="sandbox",
        )

    return make


@pytest.fixture(scope="session")
def environment(aws: str, graph: Graph, client: Callable[[str], Any]) -> dict[str, str]:
    """The environment that the template sets for the functions; its table, bucket and queues exist."""
    template = yaml_parse((REPOSITORY / "template.yaml").read_text())
    client("dynamodb").create_table(TableName="pytake", **table_definition())
    client("s3").create_bucket(Bucket="pytake")
    queues = {
        name: client("sqs").create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if "fifo" in name else {})
        for name in (
            *("inbound.fifo", "outbound.fifo", "bulk.fifo", "statuses", "media"),
            *("inbound-dead-letters.fifo", "outbound-dead-letters.fifo", "statuses-dead-letters"),
            *("bulk-dead-letters.fifo", "media-dead-letters"),
        )
    }
    values = {
        "STAGE": "test",
        "TABLE_NAME": "pytake",
        "LAKE_BUCKET": "pytake",
        "SECRETS_PREFIX": "pytake/test/",
        "INBOUND_QUEUE_URL": queues["inbound.fifo"]["QueueUrl"],
        "OUTBOUND_QUEUE_URL": queues["outbound.fifo"]["QueueUrl"],
        "INBOUND_DLQ_URL": queues["inbound-dead-letters.fifo"]["QueueUrl"],
        "OUTBOUND_DLQ_URL": queues["outbound-dead-letters.fifo"]["QueueUrl"],
        "BULK_QUEUE_URL": queues["bulk.fifo"]["QueueUrl"],
        "BULK_DLQ_URL": queues["bulk-dead-letters.fifo"]["QueueUrl"],
        "STATUSES_DLQ_URL": queues["statuses-dead-letters"]["QueueUrl"],
        "STATUSES_QUEUE_URL": queues["statuses"]["QueueUrl"],
        "MEDIA_QUEUE_URL": queues["media"]["QueueUrl"],
        "MEDIA_DLQ_URL": queues["media-dead-letters"]["QueueUrl"],
        "GRAPH_API_URL": graph.url,
        "SCHEDULED_FUNCTION": "pytake-test-scheduled:live",
        "SENDS_EMAIL": "false",
        "EVENT_BUS_NAME": "default",
        "LAKE_DATABASE": "pytake",
        "WORK_GROUP": "pytake",
    }
    # The others are literals or defaults of parameters. A variable that the template lacks is missing here, too.
    for function in FUNCTIONS.values():
        for name, value in declared_variables(template, function).items():
            if name not in values:
                values[name] = str(
                    template["Parameters"][value["Ref"]]["Default"] if isinstance(value, dict) else value
                )
    return {**values, "AWS_ENDPOINT_URL": aws}


def declared_variables(template: dict[str, Any], function: str) -> dict[str, Any]:
    """The variables that the template sets for a function."""
    own = template["Resources"][function]["Properties"]["Environment"]["Variables"]
    ignored = template["Resources"][function].get("IgnoreGlobals", [])
    return own if "Environment" in ignored else {**template["Globals"]["Function"]["Environment"]["Variables"], **own}


@pytest.fixture(scope="session")
def variables(environment: dict[str, str], route: Route) -> dict[str, dict[str, str]]:
    """The variables of each function, as the function reaches the servers."""
    template = yaml_parse((REPOSITORY / "template.yaml").read_text())
    reached = {name: route.in_container(value) for name, value in environment.items()}
    return {
        name: {
            variable: value
            for variable, value in {**reached, "POWERTOOLS_SERVICE_NAME": name}.items()
            if variable in declared_variables(template, function) or variable == "AWS_ENDPOINT_URL"
        }
        for name, function in FUNCTIONS.items()
    }


@pytest.fixture(scope="session")
def functions(
    build: Path,
    built_layer: Path,
    lake_layer: Path,
    variables: dict[str, dict[str, str]],
    parameters: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Mapping[str, Sandbox | SamLocal]]:
    """The built functions; each starts with its first event."""
    folder = tmp_path_factory.mktemp("functions")
    if in_containers(request.config):
        yield {
            name: SamLocal(build, logical_id, variables[name], parameters, folder)
            for name, logical_id in FUNCTIONS.items()
        }
        return
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                sandbox(
                    build / logical_id,
                    folder if name == "console" else built_layer,
                    variables[name],
                    folder,
                    more_layers=[lake_layer] if name == "scheduled" else [],
                )
            )
            for name, logical_id in FUNCTIONS.items()
        }
