"""`pytake local`: one command starts everything, one signal ends everything, and what happens in between survives."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from local import demo
from pytake.whatsapp.signature import sign
from tests.cloud.conftest import PYTAKE, WEBHOOK, Cloud, free_port, is_running, text_notification

pytestmark = pytest.mark.cloud


def until(true: Callable[[], object], seconds: float = 20) -> bool:
    """Say whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def listeners(process_ids: list[int]) -> set[str]:
    """Return the addresses that processes listen on, as the kernel writes them (hexadecimal, IPv4 and IPv6)."""
    inodes = set()
    for process_id in process_ids:
        for link in Path(f"/proc/{process_id}/fd").iterdir():
            try:
                inodes.add(os.readlink(link))
            except FileNotFoundError:
                continue
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in Path(table).read_text().splitlines()[1:]:
            columns = row.split()
            if columns[3] == "0A" and f"socket:[{columns[9]}]" in inodes:
                found.add(columns[1].split(":")[0])
    return found


# What it says.


def test_it_ends_its_words_with_the_address(cloud: Cloud) -> None:
    assert cloud.output[-1] == f"ready {cloud.url}"


def test_the_printed_message_can_be_pasted(cloud: Cloud) -> None:
    lines = [line for line in cloud.output if line.startswith(("body=", "curl "))]
    answer = subprocess.run(["sh", "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert answer.stdout == '{"status":"received"}'


def test_the_address_leads_to_the_console(cloud: Cloud) -> None:
    assert f"Open     {cloud.url}/console" in cloud.output
    moved = cloud.http.get("/")
    assert (moved.status_code, moved.headers["location"]) == (302, "/console")
    assert '<div id="root">' in cloud.http.get("/console").text


# The way of a message.


def test_a_message_is_answered(cloud: Cloud, new_phone: str) -> None:
    assert cloud.post_webhook(text_notification(new_phone, "Olá")).json() == {"status": "received"}
    assert cloud.answers(new_phone, 1)[0]["text"]


def test_a_message_posted_twice_is_answered_once(cloud: Cloud, new_phone: str) -> None:
    body = text_notification(new_phone, "Olá")
    assert [cloud.post_webhook(body).status_code for _ in range(2)] == [200, 200]
    first = len(cloud.answers(new_phone, 1))
    cloud.say(new_phone, "Ana")
    cloud.answers(new_phone, first + 1)
    assert len([m for m in cloud.screen(new_phone) if m["direction"] == "out"]) == first + 1


def test_the_signature_covers_the_exact_bytes(cloud: Cloud, new_phone: str) -> None:
    body = text_notification(new_phone, "Olá")
    assert cloud.post_webhook(body).status_code == 200
    assert cloud.post_webhook(body, secret="another").status_code == 403
    reformatted = json.dumps(json.loads(body), indent=1).encode()
    as_signed = {"X-Hub-Signature-256": sign(demo.APP_SECRET, body)}
    assert cloud.post_webhook(reformatted, **as_signed).status_code == 403
    assert cloud.http.post(WEBHOOK, content=body, headers={"Content-Type": "application/json"}).status_code == 403


def test_what_is_no_notification_is_refused(cloud: Cloud) -> None:
    assert cloud.post_webhook(b"{").status_code == 400
    assert cloud.post_webhook(b'{"object": "page", "entry": []}').status_code == 400


def test_meta_can_verify_the_webhook(cloud: Cloud) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": demo.VERIFY_TOKEN, "hub.challenge": "1158201444"}
    answer = cloud.http.get(WEBHOOK, params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    assert cloud.http.get(WEBHOOK, params=query | {"hub.verify_token": "guess"}).status_code == 403


# Who may call the REST API.


def test_a_token_of_the_command_opens_the_api(cloud: Cloud) -> None:
    token = cloud.command("token", "--org", demo.ORGANIZATION_ID).stdout.strip()
    path, headers = f"/api/v1/numbers/{demo.PHONE_NUMBER_ID}", {"Authorization": f"Bearer {token}"}
    assert cloud.http.get(path, headers=headers).status_code == 200


def test_an_organization_sees_only_its_own(cloud: Cloud) -> None:
    with cloud.api(organization_id="another") as api:
        assert api.get(f"/numbers/{demo.PHONE_NUMBER_ID}").status_code == 404


def test_a_role_may_do_only_its_own(cloud: Cloud) -> None:
    with cloud.api(role="analyst") as api:
        assert api.put("/organization", json={"language": "en"}).status_code == 403


@pytest.mark.parametrize("change", ["none", "other key", "expired", "other audience", "other issuer"])
def test_a_token_that_the_issuer_did_not_make_is_refused(cloud: Cloud, change: str) -> None:
    claims = jwt.decode(cloud.token(), options={"verify_signature": False})
    changed = {
        "expired": {"exp": 1},
        "other audience": {"aud": "another"},
        "other issuer": {"iss": "http://127.0.0.1:1"},
    }
    key = generate_private_key(public_exponent=65537, key_size=2048)
    kid = jwt.get_unverified_header(cloud.token())["kid"]
    forged = jwt.encode(claims | changed.get(change, {}), key, "RS256", {"kid": kid})
    if change == "none":
        forged = jwt.encode(claims, None, "none", {"kid": kid})
    answer = cloud.http.get("/api/v1/flows", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401


def test_without_a_token_only_the_documentation_is_open(cloud: Cloud) -> None:
    assert cloud.http.get("/api/v1/flows").status_code == 401
    assert cloud.http.get("/api/v1/openapi.json").status_code == 200


# What it is made of.


def test_everything_listens_on_the_loopback_interface_only(cloud: Cloud) -> None:
    processes = [cloud.process.pid, *cloud.children("local.emulator"), *cloud.children("worker.py")]
    assert listeners(processes) == {"0100007F"}  # 127.0.0.1


def test_killed_workers_are_replaced_in_the_middle_of_a_conversation(cloud: Cloud, new_phone: str) -> None:
    cloud.say(new_phone, "Olá")
    before = len(cloud.answers(new_phone, 1))
    for worker in cloud.children("worker.py"):
        os.kill(worker, signal.SIGKILL)
    cloud.say(new_phone, "Ana")
    assert len(cloud.answers(new_phone, before + 1)) == before + 1


def test_a_second_cloud_finds_the_port_taken(cloud: Cloud, tmp_path: Path) -> None:
    port = cloud.url.rpartition(":")[2]
    command = [PYTAKE, "local", "--port", port, "--data-dir", tmp_path]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert f"Port {port} is in use" in answer.stderr


def test_a_second_cloud_finds_the_data_folder_taken(cloud: Cloud) -> None:
    command = [PYTAKE, "local", "--port", str(free_port()), "--data-dir", cloud.data_dir]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert str(cloud.data_dir) in answer.stderr


# How it ends and begins again. These stop the cloud of the tests above: they come last, and leave it running.


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])  # the fixture ends it with SIGINT
def test_nothing_is_left_when_it_ends_and_a_restart_keeps_conversations_and_builds_nothing(
    cloud: Cloud, new_phone: str, how: signal.Signals
) -> None:
    cloud.say(new_phone, "Olá")
    before = len(cloud.answers(new_phone, 1))
    processes = [*cloud.children("local.emulator"), *cloud.children("worker.py")]
    temporary = {path.name for path in Path(tempfile.gettempdir()).iterdir() if "ministack" in path.name}
    port = int(cloud.url.rpartition(":")[2])

    assert cloud.stop(how) == 0
    assert until(lambda: not any(map(is_running, processes)))
    assert {path.name for path in Path(tempfile.gettempdir()).iterdir() if "ministack" in path.name} == temporary
    assert not (cloud.data_dir / "run" / "tmp").exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0

    cloud.start_again()
    assert not any("sam build" in line for line in cloud.output)
    cloud.say(new_phone, "Ana")
    assert len(cloud.answers(new_phone, before + 1)) == before + 1


def test_everything_ends_with_a_killed_command_and_conversations_are_kept(cloud: Cloud, new_phone: str) -> None:
    cloud.say(new_phone, "Olá")
    greeting = cloud.answers(new_phone, 1)[0]["text"]
    processes = [*cloud.children("local.emulator"), *cloud.children("worker.py")]

    cloud.stop(signal.SIGKILL)
    assert until(lambda: not any(map(is_running, processes)))

    cloud.start_again()
    assert not any("sam build" in line for line in cloud.output)
    cloud.say(new_phone, "Ana")
    assert cloud.answers(new_phone, 1)[-1]["text"] != greeting  # it went on where it was


def test_a_killed_embedded_aws_is_said_and_the_next_start_works(cloud: Cloud, new_phone: str) -> None:
    (emulator,) = cloud.children("local.emulator")
    os.kill(emulator, signal.SIGKILL)
    output, _ = cloud.process.communicate(timeout=30)
    assert cloud.process.returncode == 1
    assert "The embedded AWS ended" in output
    assert until(lambda: not cloud.children("worker.py"))

    cloud.start_again()
    cloud.say(new_phone, "Olá")
    assert cloud.answers(new_phone, 1)
