"""The local cloud from a webhook post to the accepted reply, emulator included, and how long it takes to start."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.environments import NotInstalledError
from benchmarks.growth_probe import FLOW, ring
from local import demo
from pytake.whatsapp.signature import sign

PYTAKE = Path(sysconfig.get_path("scripts")) / "pytake"
WEBHOOK = "/api/v1/whatsapp/webhook"
MAX_START_SECONDS = 300
MAX_ANSWER_SECONDS = 60
POLITE = 4
"""How many people write concurrently when latency is measured: two cores answer them without queueing."""

LOADS = (1, POLITE, 16, 48)
NODES = (12, 1_000)


@dataclass
class Load:
    """The measurements with this many people, who write again as soon as they are answered, and a flow of this many nodes."""

    people: int
    nodes: int
    turns_per_second: float
    seconds: list[float] = field(repr=False)
    cpu_seconds: float = 0.0  # of everything that `pytake local` runs

    @property
    def cpu_ms_per_turn(self) -> float:
        """CPU milliseconds of the machine per turn."""
        return self.cpu_seconds / max(1, len(self.seconds)) * 1000

    def percentile(self, share: float) -> float:
        """Seconds within which this share of the replies was accepted."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass
class LocalResult:
    """The measurements of `pytake local`."""

    first_start: float = 0.0
    second_start: float = 0.0
    loads: list[Load] = field(default_factory=list)

    def load(self, people: int, nodes: int = NODES[0]) -> Load:
        """The measurement with so many people."""
        return next(load for load in self.loads if (load.people, load.nodes) == (people, nodes))

    @property
    def sustained(self) -> Load:
        """The load with the most turns per second."""
        return max(self.loads, key=lambda load: load.turns_per_second)


def measure(seconds: float, log: Callable[[str], None]) -> LocalResult:
    """Start, load, start again. Raises NotInstalledError when the local cloud does not start."""
    local, folder, port = LocalResult(), Path(tempfile.mkdtemp(prefix="pytake-bench-")), free_port()
    try:
        log("starting the local cloud for the first time")
        with running(folder, port) as (url, took, process):
            local.first_start = took
            for nodes in NODES:
                with set_up(url, nodes):
                    pass
                for people in LOADS if nodes == NODES[0] else (POLITE,):
                    log(f"local cloud: {people} people, {nodes} nodes")
                    _load(url, people, nodes, min(seconds, 3))  # warm workers are not started while the clock runs
                    spent = cpu_seconds_of(process)
                    load = _load(url, people, nodes, seconds)
                    load.cpu_seconds = cpu_seconds_of(process) - spent
                    local.loads.append(load)
        log("starting the local cloud for the second time")
        with running(folder, port) as (_, took, _):
            local.second_start = took
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return local


def free_port() -> int:
    """The port of both starts. Another port would require another deployment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, port: int) -> Iterator[tuple[str, float, int]]:
    """A local cloud: its address, the seconds to `ready`, and its process."""
    begun = time.perf_counter()
    command = [str(PYTAKE), "local", "--port", str(port), "--data-dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watchdog = threading.Timer(MAX_START_SECONDS, process.kill)
    watchdog.daemon = True
    watchdog.start()
    assert process.stdout is not None
    words: list[str] = []
    try:
        for line in process.stdout:
            words.append(line)
            if line.startswith("ready "):
                break
        else:
            raise NotInstalledError("the local cloud did not start: " + "".join(words[-3:]).strip())
        watchdog.cancel()
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield f"http://127.0.0.1:{port}", time.perf_counter() - begun, process.pid
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def cpu_seconds_of(root: int) -> float:
    """CPU time of a process and its descendants, including ended ones; 0 without /proc."""
    parents, ticks = dict[int, int](), dict[int, int]()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(path.parent.name)
        parents[pid], ticks[pid] = int(after_name[1]), sum(map(int, after_name[11:15]))
    below, found = {root}, 0
    while below:
        found += sum(ticks.get(pid, 0) for pid in below)
        below = {pid for pid, parent in parents.items() if parent in below}
    return found / os.sysconf("SC_CLK_TCK")


@contextmanager
def set_up(url: str, nodes: int) -> Iterator[httpx.Client]:
    """Publish the flow, make it the demo number's default flow, and raise the organization's limit. Gives a client of the API."""
    command = [str(PYTAKE), "token", "--org", demo.ORGANIZATION_ID, "--role", "admin", "--url", url]
    token = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    flow = ring(nodes) | {"id": f"{FLOW}_{nodes}"}
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=60, trust_env=False) as api:
        for answer in (
            api.put(f"/flows/{flow['id']}", json=flow),
            api.post(f"/flows/{flow['id']}/publish"),
            api.put("/organization", json={"messages_per_minute": 4_800, "contact_messages_per_minute": 10_000}),
            api.put(f"/numbers/{demo.PHONE_NUMBER_ID}", json={**_number(api), "default_flow_id": flow["id"]}),
        ):
            answer.raise_for_status()
        time.sleep(6)  # settings are cached for five seconds
        yield api


def _number(api: httpx.Client) -> dict[str, Any]:
    known = api.get(f"/numbers/{demo.PHONE_NUMBER_ID}").raise_for_status().json()
    return {name: known[name] for name in ("display_phone_number",) if name in known}


def _load(url: str, people: int, nodes: int, seconds: float) -> Load:
    stop = time.perf_counter() + seconds
    begun = time.perf_counter()
    with ThreadPoolExecutor(people) as pool:
        taken = list(pool.map(lambda person: _person(url, nodes, person, stop), range(people)))
    every = [one for person in taken for one in person]
    return Load(people, nodes, len(every) / (time.perf_counter() - begun), every)


def _person(url: str, nodes: int, person: int, stop: float) -> list[float]:
    """Write, wait for the reply, write again; how long each reply took."""
    phone = f"5511{os.getpid() % 1000:03d}{int(stop * 10) % 1000:03d}{person:03d}"
    taken: list[float] = []
    with httpx.Client(base_url=url, timeout=MAX_ANSWER_SECONDS, trust_env=False) as http:
        after = 0
        while time.perf_counter() < stop:
            body = notification(phone, f"wamid.{phone}.{nodes}.{len(taken)}")
            headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(demo.APP_SECRET, body)}
            begun = time.perf_counter()
            http.post(WEBHOOK, content=body, headers=headers).raise_for_status()
            after = reply_after(http, phone, after, begun)
            taken.append(time.perf_counter() - begun)
    return taken


def reply_after(http: httpx.Client, phone: str, after: int, begun: float) -> int:
    """Wait for a reply on a phone behind the message `after`; returns the last message's number. Raises `NotInstalledError`."""
    while time.perf_counter() - begun < MAX_ANSWER_SECONDS:
        query = {"after": after, "wait": 5}
        shown = http.get(f"/_sim/phones/{phone}/messages", params=query).json()["messages"]
        for message in shown:
            after = max(after, message["seq"])
        if any(message["direction"] == "out" for message in shown):
            return after
    raise NotInstalledError(f"no reply within {MAX_ANSWER_SECONDS} s")


def notification(phone: str, message_id: str) -> bytes:
    """The body of a webhook with the text "yes"."""
    message = {
        "from": phone,
        "id": message_id,
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "yes"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": demo.PHONE_NUMBER_ID, "display_phone_number": "551140000001"},
        "contacts": [{"wa_id": phone, "profile": {"name": "Ana"}}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
