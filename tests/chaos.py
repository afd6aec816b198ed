"""`make chaos`: a few hundred conversations through `pytake local` while it is mistreated; then the count.

Workers are killed with SIGKILL, the simulated Graph API answers 500 and 429, hangs and cuts connections, webhooks are posted
again and again in any order. To some people it refuses every message until it was given up on and an operator has repaired the
cause and redriven it, while they go on writing. Each message of a person is answered by one message that quotes it: so what is
lost, doubled or out of order shows on the phones (`tests.chaos_judge`). The phones are read when nothing is left that could
change them, and a wrong answer is printed with what the embedded AWS holds of it (`tests.chaos_evidence`).
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from cli.dlq import dead_letter_queue
from local import demo
from local.dead_letters import DeadLetter, QueueName
from pytake.conversation.delivery.outcome import MAX_HOLD_EXPONENT
from pytake.conversation.queues import InboundItem, OutboundItem
from pytake.whatsapp.outbound import Text
from tests.chaos_evidence import EmbeddedAws
from tests.chaos_judge import Redriven, judge
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
MESSAGE_ID = "wamid."
SETTLED_SECONDS = 20
"""When nothing was open for so long, nothing is: longer than the simulated Meta delays a status (5 s) or answers (14 s)."""
LONGEST_SECONDS = 2 * 4**MAX_HOLD_EXPONENT
"""Twice as long as a message waits at most: for a recipient whom Meta holds."""
REPORT_SECONDS = 60
REFUSED_PEOPLE = 20
"""One person in so many is refused, and at least three are."""
GIVEN_UP: tuple[QueueName, ...] = ("inbound", "outbound", "statuses")
"""The queues whose dead letters the operator redrives."""


class Wrong(Struct, frozen=True):
    """A wrong answer, the person's phone, and what the embedded AWS holds of it."""

    kind: str
    phone: str
    answer: str
    holds: list[str]


@dataclass
class Count:
    """What came of it all."""

    sent: int = 0
    repeated: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    expected: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    redriven: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    doubts: int = 0
    late: int = 0
    """Answers that came once more because a status came later than its deadline, as operators were told."""
    seconds: float = 0

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing twice, in order; and there was something to redrive for everybody who was refused."""
        return not self.wrong and self.redriven.total() >= self.refused


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
        self._refused = set(self._chance.sample(sorted(self._said), max(3, people // REFUSED_PEOPLE)))
        self._count.refused = len(self._refused)
        self._to_refuse = set(self._refused)
        self._posted: Counter[str] = Counter()
        self._dead_letters = [dead_letter_queue(name, cloud.url, None, None) for name in GIVEN_UP]
        self._aws = EmbeddedAws(cloud.url)
        self._rounds = 0
        self._redriven: dict[str, Redriven] = {}
        self._lock = threading.Lock()

    def run(self) -> Count:
        """Mistreat the cloud while people write, wait until it has recovered, and count."""
        began = time.monotonic()
        self._prepare()
        self._set_faults()  # who is to be refused is from the first answer on
        works = (self._kill_workers, self._trouble_meta, self._repeat, self._operate)
        troubles = [threading.Thread(target=work) for work in works]
        for trouble in troubles:
            trouble.start()
        with ThreadPoolExecutor(POSTERS) as pool, ThreadPoolExecutor(len(self._refused)) as refused_pool:
            refused = [refused_pool.submit(self._converse_refused, phone) for phone in sorted(self._refused)]
            list(pool.map(self._converse, (phone for phone in self._said if phone not in self._refused)))
            for conversation in refused:
                conversation.result()
        self._over.set()
        for trouble in troubles:
            trouble.join()
        self._cloud.http.delete("/_sim/faults").raise_for_status()
        self._wait_until_settled()
        self._read_the_phones()
        self._count.doubts = self._doubts()
        self._count.seconds = time.monotonic() - began
        return self._count

    def _prepare(self) -> None:
        with self._cloud.api() as api:
            api.put(
                "/organization",
                json=demo.ORGANIZATION | {"messages_per_minute": 4800, "contact_messages_per_minute": 10_000},
            ).raise_for_status()
            api.put("/flows/chaos", json=FLOW).raise_for_status()
            api.post("/flows/chaos/publish").raise_for_status()
            number = {"display_phone_number": demo.DISPLAY_PHONE_NUMBER, "default_flow_id": "chaos"}
            api.put(f"/numbers/{demo.PHONE_NUMBER_ID}", json=number).raise_for_status()
        time.sleep(6)  # workers remember a number and a limit for five seconds

    def _converse(self, phone: str) -> None:
        """Post one person's messages, each after the one before was taken; some are posted again at any time."""
        for number in range(len(self._said[phone])):
            self._say(phone, number)

    def _converse_refused(self, phone: str) -> None:
        """The same of a person whose answers Meta refuses until they were given up on: writes on while and after they are."""
        half = len(self._said[phone]) // 2
        for number in range(half):
            self._say(phone, number)
        end = time.monotonic() + LONGEST_SECONDS
        while phone in self._to_refuse and time.monotonic() < end:
            time.sleep(0.3)
        self._to_refuse.discard(phone)
        for number in range(half, len(self._said[phone])):
            self._say(phone, number)

    def _say(self, phone: str, number: int) -> None:
        text = self._said[phone][number]
        body = self._webhook(phone, MESSAGE_ID + text, text, number)
        self._posted[phone] = number + 1
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
        while not self._over.wait(1.0):
            self._set_faults()

    def _set_faults(self) -> None:
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
        chosen = self._chance.sample(kinds, 3)
        refused = sorted(self._to_refuse)
        rules = [{"kind": "error", "status": 400, "code": 130429, "phone": phone} for phone in refused]
        rules += [{**rule, "times": 1 if rule["kind"] == "hang" else 2} for rule in chosen]
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

    def _operate(self) -> None:
        """An operator looks at the dead letters, repairs what they tell of, and redrives them."""
        while not self._over.wait(3.0):
            self._redrive()

    def _redrive(self) -> int:
        """Redrive what was given up on, as `pytake dlq redrive` does; how many. What made answers fail is repaired."""
        moved = 0
        for queue in self._dead_letters:
            if not queue.count():
                continue
            hurt = {letter.item.contact_id for letter in queue.peek() if isinstance(letter.item, OutboundItem)}
            self._mend(hurt & self._to_refuse)
            self._rounds += 1
            moved += queue.redrive(on_redriven=self._note_redriven)
        return moved

    def _mend(self, phones: set[str]) -> None:
        self._to_refuse -= phones
        if phones:
            time.sleep(1.5)  # until then the rules that refuse are in force

    def _wait_until_settled(self) -> None:
        """Wait until no queue, no held turn and no post to the webhook could change a phone any more."""
        began = last_open = last_report = time.monotonic()
        while (now := time.monotonic()) - began < LONGEST_SECONDS and now - last_open < SETTLED_SECONDS:
            open_ = self._aws.open_work()
            if self._redrive() or open_:
                last_open = time.monotonic()
            if open_ and now - last_report > REPORT_SECONDS:
                last_report = now
                waits = ", ".join(f"{count} in {where}" for where, count in sorted(Counter(open_).items()))
                print(f"{now - began:.0f} s after the last fault there is still work: {waits}", flush=True)  # noqa: T201
            time.sleep(2)

    def _note_redriven(self, letter: DeadLetter) -> None:
        self._count.redriven[letter.reason] += 1
        if isinstance(letter.item, OutboundItem):
            answers = [message.text for message in letter.item.messages if isinstance(message, Text)]
        elif isinstance(letter.item, InboundItem):
            answers = [answer_to(letter.item.message_id.removeprefix(MESSAGE_ID))]
        else:
            return
        when = Redriven(self._rounds, self._posted[letter.item.contact_id])
        self._redriven.update((answer, when) for answer in answers)

    def _answers(self, phone: str) -> list[str]:
        return [message["text"] for message in self._cloud.screen(phone) if message["direction"] == "out"]

    def _read_the_phones(self) -> None:
        for phone, said in self._said.items():
            expected = [answer_to(text) for text in said]
            answers = self._answers(phone)
            verdict = judge(expected, answers, self._redriven, partial(self._doubts_of, phone))
            self._count.expected += len(expected)
            self._count.late += len(verdict.late)
            for kind in ("lost", "doubled", "out_of_order", "foreign"):
                for answer in getattr(verdict, kind):
                    holds = self._aws.holds_of(phone, _asked_by(answer))
                    self._count.wrong.append(Wrong(kind, phone, answer, [f"the phone shows: {answers}", *holds]))

    def _doubts_of(self, phone: str, answer: str) -> int:
        """How often operators were told that an answer may be doubled."""
        return self._doubts(self._aws.correlation_of(phone, _asked_by(answer)))

    def _doubts(self, correlation_id: str = "") -> int:
        """How often operators were told that an answer, or those with this correlation id, may be doubled."""
        logs = (self._cloud.data_dir / "logs").glob("*.log")
        lines = (line for path in logs for line in path.read_text(errors="replace").splitlines())
        return sum('"delivery.resent_after_deadline"' in line and correlation_id in line for line in lines)


def answer_to(text: str) -> str:
    """What the flow answers to a text."""
    return f"You said {text}"


def _asked_by(answer: str) -> str:
    """The id of the message that an answer quotes."""
    return MESSAGE_ID + answer.removeprefix(answer_to(""))


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
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="pytake-chaos-"))
    print("Starting the local cloud ...", flush=True)  # noqa: T201
    cloud = Cloud.start(folder, free_port())
    try:
        count = Chaos(cloud, arguments.people, arguments.messages, arguments.seed).run()
    finally:
        cloud.stop()
    if count.wrong:
        print(f"The logs are in {folder / 'logs'}")  # noqa: T201
    elif not arguments.keep:
        shutil.rmtree(folder)
    killed = ", ".join(f"{name} {times}" for name, times in sorted(count.killed.items()))
    reasons = ", ".join(f"{reason} {times}" for reason, times in sorted(count.redriven.items()))
    wrong = Counter(one.kind for one in count.wrong)
    for one in count.wrong:
        print(f"{one.kind.replace('_', ' ')}: {one.answer!r} to {one.phone}", *one.holds, sep="\n  ")  # noqa: T201
    rows: list[tuple[str, object]] = [
        ("conversations", arguments.people),
        ("webhooks repeated", count.repeated),
        ("workers killed", f"{count.killed.total()} ({killed})"),
        ("messages sent by people", count.sent),
        ("answers expected", count.expected),
        ("lost", wrong["lost"]),
        ("doubled", wrong["doubled"]),
        ("out of order", wrong["out_of_order"]),
        ("not said by anybody", wrong["foreign"]),
        ("people whose answers were refused until redriven", count.refused),
        ("redriven from the dead letters", f"{count.redriven.total()} ({reasons})"),
        ("sent again after a deadline without a status", count.doubts),
        ("of them doubled, because a status came later", count.late),
        ("seconds", round(count.seconds)),
    ]
    for name, value in rows:
        print(f"{name:<48} {value}")  # noqa: T201
    return 0 if count.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
