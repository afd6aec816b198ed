"""`make chaos`: a few hundred conversations through `pytake local` while it is mistreated; then the count.

Workers are killed with SIGKILL, the simulated Graph API answers 500 and 429, hangs and cuts connections, webhooks are posted
again and again in any order. Each message of a person is answered by one message that quotes it: so what is lost, doubled or
out of order shows on the phones.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import msgspec

from cli.dlq import find_queues
from local import demo
from local.dead_letters import DeadLetter
from pytake.conversation.queues import OutboundItem
from pytake.whatsapp.outbound import Text
from tests.cloud.conftest import Cloud, free_port

FLOW: dict[str, Any] = {
    "format": 1,
    "id": "chaos",
    "name": "Quotes what was said",
    "language": "en",
    "start_node_id": "start",
    "nodes": [
        {"id": "start", "type": "start", "data": {"next_node_id": "quote"}},
        {
            "id": "quote",
            "type": "question",
            "data": {"question": "You said {{input.text}}", "variable": "said", "next_node_id": "quote"},
        },
    ],
}
POSTERS = 6
QUIET_SECONDS = 100
"""When nothing new was answered for so long, nothing will be: longer than a killed worker's message is invisible (30 s), and
than the deadline of a send whose fate nobody knows (40 s)."""
LONGEST_SECONDS = 900


@dataclass
class Count:
    """What came of it all."""

    sent: int = 0
    repeated: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    expected: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    foreign: int = 0
    redriven: int = 0
    doubts: int = 0
    seconds: float = 0

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing twice, in order."""
        return self.lost == self.doubled == self.out_of_order == self.foreign == 0


class Chaos:
    """One run against one local cloud."""

    def __init__(self, cloud: Cloud, people: int, messages: int, seed: int) -> None:
        self._cloud = cloud
        self._chance = random.Random(seed)  # noqa: S311
        self._count = Count()
        self._over = threading.Event()
        self._said = {
            str(5511970000000 + person): [f"p{person}m{number}" for number in range(messages)]
            for person in range(people)
        }
        self._repeats: list[bytes] = []
        self._redriven: set[str] = set()
        self._lock = threading.Lock()

    def run(self) -> Count:
        """Mistreat the cloud while people write, wait until it has recovered, and count."""
        began = time.monotonic()
        self._prepare()
        troubles = [threading.Thread(target=work) for work in (self._kill_workers, self._trouble_meta, self._repeat)]
        for trouble in troubles:
            trouble.start()
        with ThreadPoolExecutor(POSTERS) as pool:
            list(pool.map(self._converse, self._said))
        self._over.set()
        for trouble in troubles:
            trouble.join()
        self._cloud.http.delete("/_sim/faults").raise_for_status()
        self._wait_until_quiet()
        self._read_the_phones()
        self._count.doubts = self._doubts()
        self._count.seconds = time.monotonic() - began
        return self._count

    def _prepare(self) -> None:
        with self._cloud.api() as api:
            api.put("/organization", json=demo.ORGANIZATION | {"messages_per_minute": 4800}).raise_for_status()
            api.put("/flows/chaos", json=FLOW).raise_for_status()
            api.post("/flows/chaos/publish").raise_for_status()
            number = {"display_phone_number": demo.DISPLAY_PHONE_NUMBER, "default_flow_id": "chaos"}
            api.put(f"/numbers/{demo.PHONE_NUMBER_ID}", json=number).raise_for_status()
        time.sleep(6)  # workers remember a number and a limit for five seconds

    def _converse(self, phone: str) -> None:
        """Post one person's messages, each after the one before was taken; some are posted again at any time."""
        for number, text in enumerate(self._said[phone]):
            body = self._webhook(phone, f"wamid.{text}", text, number)
            while not self._is_taken(body):
                time.sleep(0.3)
            with self._lock:
                self._count.sent += 1
                if self._chance.random() < 0.4:
                    self._repeats.extend([body] * self._chance.choice((1, 2)))
            time.sleep(self._chance.choice((0, 0, 0.2, 1.0)))

    def _is_taken(self, body: bytes) -> bool:
        try:
            return self._cloud.post_webhook(body).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _webhook(self, phone: str, id_: str, text: str, number: int) -> bytes:
        message = {
            "from": phone,
            "id": id_,
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": text},
        }
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": demo.PHONE_NUMBER_ID},
            "contacts": [{"wa_id": phone, "profile": {"name": f"Person {number}"}}],
            "messages": [message],
        }
        change = {"field": "messages", "value": value}
        return msgspec.json.encode({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})

    def _repeat(self) -> None:
        """Meta posts again what it has posted, in any order."""
        while not self._over.wait(0.15):
            with self._lock:
                if not self._repeats:
                    continue
                body = self._repeats.pop(self._chance.randrange(len(self._repeats)))
            self._is_taken(body)
            self._count.repeated += 1

    def _trouble_meta(self) -> None:
        """Faults of the simulated WhatsApp, a few at a time, of every kind."""
        kinds: list[dict[str, Any]] = [
            {"kind": "error", "status": 500, "code": 131000},
            {"kind": "error", "status": 400, "code": 130429},
            {"kind": "error", "status": 429, "code": 80007},
            {"kind": "error", "status": 400, "code": 131056},
            {"kind": "hang", "seconds": 14},
            {"kind": "cut_before"},
            {"kind": "cut_after"},
            {"kind": "delay_status", "seconds": 5},
            {"kind": "duplicate_webhook"},
        ]
        while not self._over.wait(1.0):
            chosen = self._chance.sample(kinds, 3)
            rules = [{**rule, "times": 1 if rule["kind"] == "hang" else 2} for rule in chosen]
            self._cloud.http.put("/_sim/faults", json={"rules": rules}).raise_for_status()

    def _kill_workers(self) -> None:
        while not self._over.wait(1.5):
            workers = list(workers_of(self._cloud.process.pid))
            if workers:
                pid, name = self._chance.choice(workers)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self._count.killed[name] += 1

    def _wait_until_quiet(self) -> None:
        end, last_change, known = time.monotonic() + LONGEST_SECONDS, time.monotonic(), -1
        wanted = sum(map(len, self._said.values()))
        while time.monotonic() < end and time.monotonic() - last_change < QUIET_SECONDS:
            answered = sum(len(self._answers(phone)) for phone in self._said)
            if answered != known:
                known, last_change = answered, time.monotonic()
            if answered >= wanted and time.monotonic() - last_change > QUIET_SECONDS / 2:
                return  # long enough for a double to show
            for queue in find_queues(self._cloud.url, None, None):
                if queue.name == "outbound" and queue.count():
                    self._count.redriven += queue.redrive(moved=self._note_redriven)
                    last_change = time.monotonic()
            time.sleep(3)

    def _note_redriven(self, letter: DeadLetter) -> None:
        if isinstance(letter.item, OutboundItem):
            self._redriven.update(message.text for message in letter.item.messages if isinstance(message, Text))

    def _answers(self, phone: str) -> list[str]:
        return [message["text"] for message in self._cloud.screen(phone) if message["direction"] == "out"]

    def _read_the_phones(self) -> None:
        for phone, said in self._said.items():
            expected = [f"You said {text}" for text in said]
            answers = self._answers(phone)
            times = Counter(answers)
            self._count.expected += len(expected)
            self._count.lost += sum(1 for text in expected if not times[text])
            self._count.doubled += sum(count - 1 for text, count in times.items() if text in expected)
            self._count.foreign += sum(count for text, count in times.items() if text not in expected)
            # What was given up on and redriven comes after the answers that did not wait for it, as it should.
            in_time = [text for text in dict.fromkeys(answers) if text not in self._redriven]
            first = [expected.index(text) for text in in_time if text in expected]
            self._count.out_of_order += sum(other < one for one, other in pairwise(first))

    def _doubts(self) -> int:
        logs = (self._cloud.data_dir / "logs").glob("*.log")
        return sum(path.read_text(errors="replace").count('"delivery.resent_after_deadline"') for path in logs)


def workers_of(pid: int) -> Iterator[tuple[int, str]]:
    """The processes of functions that a local cloud runs: grandchildren of its process, with the function's name."""
    for emulator in _children(pid):
        for worker in _children(emulator):
            environment = Path(f"/proc/{worker}/environ")
            try:
                found = dict(
                    part.split("=", 1) for part in environment.read_bytes().decode().split("\0") if "=" in part
                )
            except OSError:
                continue
            if name := found.get("AWS_LAMBDA_FUNCTION_NAME"):
                yield worker, name


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, tasks.read_text().split())
        except OSError:
            continue
    return found


def main() -> int:
    """Run and print; exit status 1 when anything was lost, doubled or out of order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--messages", type=int, default=4, help="of each person")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep the local cloud's data here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("Starting the local cloud ...", flush=True)  # noqa: T201
        cloud = Cloud.start(arguments.keep or Path(folder), free_port())
        try:
            count = Chaos(cloud, arguments.people, arguments.messages, arguments.seed).run()
        finally:
            cloud.stop()
    killed = ", ".join(f"{name} {times}" for name, times in sorted(count.killed.items()))
    rows: list[tuple[str, object]] = [
        ("conversations", arguments.people),
        ("webhooks repeated", count.repeated),
        ("workers killed", f"{count.killed.total()} ({killed})"),
        ("messages sent by people", count.sent),
        ("answers expected", count.expected),
        ("lost", count.lost),
        ("doubled", count.doubled),
        ("out of order", count.out_of_order),
        ("not said by anybody", count.foreign),
        ("redriven from the dead letters", count.redriven),
        ("sent again after a deadline without a receipt", count.doubts),
        ("seconds", round(count.seconds)),
    ]
    for name, value in rows:
        print(f"{name:<46} {value}")  # noqa: T201
    return 0 if count.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
