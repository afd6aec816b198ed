"""How the tests start SAM's containers: what can be checked without a container engine."""

import json
import os
import re
import shlex
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import docker
import pytest
from samcli.commands.build.command import cli as build
from samcli.commands.local.invoke.cli import cli as invoke
from samcli.commands.local.start_api.cli import cli as start_api
from samcli.commands.validate.validate import cli as validate
from samcli.yamlhelper import yaml_parse

from local.expanded_template import expanded
from tests.build import containers
from tests.build.conftest import ARCHITECTURE, Graph
from tests.build.containers import (
    LOOPBACK,
    Route,
    UnreachableHostError,
    candidates,
    engine,
    lambda_image,
    route_to_host,
)
from tests.build.lambda_sandbox import FunctionFailedError
from tests.build.sam_local import SamLocal, answer_of, local_options, sam_environment
from tests.stack import REPOSITORY

PAGE = re.search(
    r"## Building what is deployed\n\n```sh\n(.*?)```", (REPOSITORY / "CONTRIBUTING.md").read_text(), re.DOTALL
)
SAM_COMMANDS = {"validate": validate, "build": build, "local invoke": invoke, "local start-api": start_api}


def test_the_lines_of_the_guide_are_commands_of_this_sam() -> None:
    """What can be checked without a container engine: options, parameters, and the files and resources that they name."""
    assert PAGE
    variables, written, seen = {}, set(), []
    declared = expanded(REPOSITORY / "template.yaml")
    for line in PAGE[1].splitlines():
        if assigned := re.match(r'(\w+)="([^"]*)"', line):
            variables[assigned[1]] = assigned[2]
            continue
        for name, value in variables.items():
            line = line.replace(f"${name}", value.partition(" ")[0] + " Architecture=arm64")
        program, *words = shlex.split(line, comments=True)
        if program == ".venv/bin/python":
            assert find_spec(words[1])
            written.add(str(Path(words[2]).with_name("expanded.yaml")))
            continue
        assert program == ".venv/bin/sam"
        name = " ".join(words[: 2 if words[0] == "local" else 1])
        command = SAM_COMMANDS[name]
        options, rest, _ = command.make_parser(click.Context(command)).parse_args(words[len(name.split()) :])
        seen.append(name)
        for given in options.get("parameter_overrides", ()):
            assert {one.partition("=")[0] for one in str(given).split()} <= set(declared["Parameters"]), line
        assert all(declared["Resources"][id_]["Type"] == "AWS::Serverless::Function" for id_ in rest)
        assert "event" not in options or (REPOSITORY / options["event"]).is_file()
        assert name != "local start-api" or options["template_file"] in written
    assert seen == list(SAM_COMMANDS)


BUILT = """\
Globals: {Function: {Environment: {Variables: {STAGE: local}}}}
Resources:
  ApiFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: handler.handler, Runtime: python3.13}
"""
PARAMETERS = {"Stage": "local", "Architecture": ARCHITECTURE}


class Container:
    """A container on a bridge with this gateway that reaches exactly these hosts."""

    def __init__(self, gateway: str, reached: set[str]) -> None:
        self.attrs = {"NetworkSettings": {"Networks": {"bridge": {"Gateway": gateway}}}}
        self.reached, self.tried, self.removed = reached, [], False

    def reload(self) -> None:
        pass

    def exec_run(self, command: list[str]) -> Any:
        *_, host, port = command
        self.tried.append(host)
        with socket.create_connection((LOOPBACK, int(port)), 3) as connection:
            assert connection.recv(9) == b"reached"
        return SimpleNamespace(exit_code=0 if host in self.reached else 1)

    def remove(self, *, force: bool) -> None:
        self.removed = force


class Client:
    """An engine that starts this container, and holds these images."""

    def __init__(self, container: Container, images: set[str]) -> None:
        self.held, self.pulled = images, []
        self.images = SimpleNamespace(get=self._get, pull=self.pulled.append)
        self.containers = SimpleNamespace(run=lambda *_, **__: container)

    def _get(self, image: str) -> None:
        if image not in self.held:
            raise docker.errors.ImageNotFound(image)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(BUILT)
    return tmp_path


def test_sam_gets_the_parameters_of_the_build_and_does_not_ask_the_registry(built: Path) -> None:
    options = local_options(built, {"ApiFunction": {"TABLE_NAME": "t"}}, PARAMETERS, built)
    assert options[options.index("--parameter-overrides") + 1 :] == ["Stage=local", f"Architecture={ARCHITECTURE}"]
    assert "--skip-pull-image" in options
    assert "--docker-network" not in options  # SAM ignores `host`


def test_sam_gets_each_variable_and_the_template_declares_it(built: Path) -> None:
    options = local_options(built, {"ApiFunction": {"TABLE_NAME": "t"}}, PARAMETERS, built)
    given = json.loads(Path(options[options.index("--env-vars") + 1]).read_text())
    assert given == {"ApiFunction": {"TABLE_NAME": "t"}}
    template = yaml_parse(Path(options[options.index("--template") + 1]).read_text())
    assert template["Globals"]["Function"]["Environment"]["Variables"] == {"STAGE": "local", "TABLE_NAME": "t"}


def test_the_users_own_settings_of_sam_and_aws_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("SAM_SKIP_PULL_IMAGE", "1")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/mine.sock")
    environment = sam_environment(tmp_path)
    assert not {"AWS_PROFILE", "SAM_SKIP_PULL_IMAGE"} & set(environment)
    assert environment["DOCKER_HOST"] == "unix:///run/mine.sock"


@pytest.mark.parametrize(("exit_code", "output"), [(0, ""), (1, ""), (0, "no JSON")])
def test_sams_own_message_is_shown_when_it_gives_no_answer(exit_code: int, output: str) -> None:
    done = subprocess.CompletedProcess([], exit_code, stdout=output, stderr="Timed out while attempting to connect")
    with pytest.raises(FunctionFailedError, match="Timed out while attempting to connect"):
        answer_of(done)


def test_the_answer_is_the_last_line_and_an_error_is_no_answer() -> None:
    assert answer_of(subprocess.CompletedProcess([], 0, stdout='printed\n{"a": 1}\n', stderr="")) == {"a": 1}
    with pytest.raises(FunctionFailedError, match="Boom"):
        answer_of(subprocess.CompletedProcess([], 0, stdout='{"errorType": "Boom"}', stderr=""))


@pytest.mark.build
def test_without_an_engine_sam_says_so(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{built}/none.sock")
    with engine() as found:
        if found:
            pytest.skip("SAM found Finch")
    function = SamLocal(built, "ApiFunction", {}, PARAMETERS, built)
    with pytest.raises(FunctionFailedError, match="container runtime"):
        function.invoke({})


def test_the_bridges_gateway_is_used_where_it_is_an_address_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(containers.HOST_VARIABLE, raising=False)
    container = Container(LOOPBACK, reached={LOOPBACK, "host.docker.internal"})
    client = Client(container, images={"image"})
    with route_to_host(client, "image") as route:
        assert route == Route(LOOPBACK, LOOPBACK)
        assert not container.removed
    assert container.removed
    assert client.pulled == []


def test_an_engine_in_a_virtual_machine_forwards_a_name_to_the_loopback_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(containers.HOST_VARIABLE, raising=False)
    container = Container("192.0.2.1", reached={"host.docker.internal"})
    client = Client(container, images=set())
    with route_to_host(client, "image") as route:
        assert route == Route(LOOPBACK, "host.docker.internal")
    assert container.tried == ["host.docker.internal"]  # nothing here can listen on the gateway of another machine
    assert client.pulled == ["image"]


def test_the_error_without_a_route_lists_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(containers.HOST_VARIABLE, raising=False)
    container = Container("192.0.2.1", reached=set())
    with (
        pytest.raises(UnreachableHostError, match=r"host\.docker\.internal.*\n.*HOST_IN_CONTAINERS"),
        route_to_host(Client(container, {"image"}), "image"),
    ):
        pass
    assert container.removed


def test_a_user_can_name_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(containers.HOST_VARIABLE, "192.0.2.7")
    assert candidates({}) == [Route(LOOPBACK, "192.0.2.7")]


def test_no_route_listens_on_every_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(containers.HOST_VARIABLE, raising=False)
    routes = candidates(Container("172.17.0.1", set()).attrs)
    assert {route.listen for route in routes} == {"172.17.0.1", LOOPBACK}
    graph = Graph(LOOPBACK)
    assert graph.url.startswith(f"http://{LOOPBACK}:")
    graph.close()


def test_urls_of_servers_here_name_the_host_that_a_container_reaches() -> None:
    route = Route(LOOPBACK, "host.docker.internal")
    assert route.in_container("http://127.0.0.1:4566/0/queue") == "http://host.docker.internal:4566/0/queue"
    assert route.in_container("pytake/127.0.0.1") == "pytake/127.0.0.1"
    assert Route("172.17.0.1", "172.17.0.1").in_container("http://172.17.0.1:1/") == "http://172.17.0.1:1/"


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_image_is_the_one_for_this_machines_processor(architecture: str) -> None:
    assert lambda_image("python3.13", architecture).endswith(f"/lambda/python:3.13-{architecture}")
    assert ARCHITECTURE in ("arm64", "x86_64")
    assert os.uname().machine.replace("aarch64", "arm64") == ARCHITECTURE
