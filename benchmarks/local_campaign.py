"""A campaign on the local cloud while people chat: what their replies take beside it and without it, and how soon a pause acts.

`python -m benchmarks.local_campaign` sends 10 messages a second, which two cores carry beside 20 people. The target is
`--pace 80 --recipients 10000 --rounds 1`; `--record` writes that to RESULTS.md. The campaign and the people use the same number,
which Meta allows a quarter more than the pace: a fifth of a number is left to conversations. A round is a window without the
campaign and one beside it, so that a change of the machine falls on both. A window lasts from one tick to the next: a tick
begins with the release of a minute of messages, which takes a quarter of it.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.campaign import NEXT_HEADING, RESULTS
from benchmarks.growth_probe import FLOW
from benchmarks.local_benchmark import (
    MAX_ANSWER_SECONDS,
    NODES,
    cpu_seconds_of,
    free_port,
    notification,
    reply_after,
    running,
    set_up,
)
from benchmarks.report import commit, table, with_section
from local import demo
from pytake.campaigns.claim import HORIZON_SECONDS, TICK_SECONDS
from pytake.whatsapp.signature import sign

HEADING = "## A campaign beside people who chat\n"
WABA = "100000000000990"
TEMPLATE: dict[str, Any] = {
    "name": "spring_sale",
    "language": "pt_BR",
    "category": "MARKETING",
    "components": [{"type": "BODY", "text": "Quer ver as ofertas?"}],
}
QUIET_SECONDS = 15
"""A campaign is paused when no message of it has come for so long."""

TARGET_RATIO = 1.5


@dataclass
class Round:
    """The seconds of the replies in a window without the campaign and in one beside it, and the CPU seconds of the local cloud in
    both; the campaign's messages in the latter, and per second; after a pause the seconds of its answer, and until the last
    message of the campaign."""

    idle: list[float] = field(repr=False)
    beside: list[float] = field(repr=False)
    idle_cpu: float
    beside_cpu: float
    messages: int
    per_second: float
    pause_answer: float
    last_message: float

    @property
    def ratio(self) -> float:
        """The median beside the campaign divided by the one without it."""
        return median(self.beside) / median(self.idle)

    @property
    def turn_ms(self) -> float:
        """CPU milliseconds of a chat's turn, from the window without the campaign."""
        return self.idle_cpu / len(self.idle) * 1000

    @property
    def message_ms(self) -> float:
        """CPU milliseconds of a message of the campaign: what the turns beside it do not explain."""
        return (self.beside_cpu * 1000 - self.turn_ms * len(self.beside)) / max(1, self.messages)


def report(rounds: list[Round], pace: float, people: int, every: float, cores: int) -> str:
    """A row per round, and what the figures say."""
    head = [
        "round",
        "p50 idle ms",
        "p50 beside ms",
        "ratio",
        "campaign /s",
        "CPU ms a turn",
        "CPU ms a message",
        "pause answered ms",
        "last message after s",
    ]
    rows = [
        [
            str(number),
            *(f"{median(seconds) * 1000:.0f}" for seconds in (one.idle, one.beside)),
            f"{one.ratio:.2f}",
            f"{one.per_second:.1f}",
            f"{one.turn_ms:.0f}",
            f"{one.message_ms:.0f}",
            f"{one.pause_answer * 1000:.0f}",
            f"{one.last_message:.1f}",
        ]
        for number, one in enumerate(rounds, 1)
    ]
    ratio, per_second = (
        median(values) for values in zip(*((one.ratio, one.per_second) for one in rounds), strict=True)
    )
    turn, message = (median(values) for values in zip(*((one.turn_ms, one.message_ms) for one in rounds), strict=True))
    chats = people / every
    most = max(0.0, cores * 1000 - chats * turn) / message if message > 0 else float("inf")
    return f"""{table(head, rows)}

{people} people beside a campaign of {pace:g} a second: {per_second:.1f} a second left, p50 {ratio:.2f}x of idle
(target {TARGET_RATIO}x). A message takes {message:.0f} ms of CPU and a chat's turn {turn:.0f}: {cores} cores that do
nothing else carry at most {most:.0f} messages a second beside {chats:.1f} turns. After a pause, the messages leave whose
slots were reserved before it: those until two seconds after the next tick, {HORIZON_SECONDS} s at most."""


class _Chats:
    """People who write at a steady pace, each one again after so many seconds, and never before the reply to the last message."""

    def __init__(self, url: str, people: int, every_seconds: float) -> None:
        self._url, self._people, self._every = url, people, every_seconds
        self._windows = 0

    def window(self, seconds: float) -> list[float]:
        """How long each reply took."""
        self._windows += 1
        begun = time.perf_counter()
        with ThreadPoolExecutor(self._people) as pool:
            taken = pool.map(lambda person: list(self._talk(person, begun, seconds)), range(self._people))
            return [one for person in taken for one in person]

    def _talk(self, person: int, begun: float, seconds: float) -> Iterator[float]:
        phone, after, number = f"5521{os.getpid() % 10_000:04d}{person:05d}", 0, 0
        with httpx.Client(base_url=self._url, timeout=MAX_ANSWER_SECONDS, trust_env=False) as http:
            after = http.get(f"/_sim/phones/{phone}/messages").json()["messages"][-1]["seq"] if self._windows > 1 else 0
            due = begun + self._every * person / self._people
            while due < begun + seconds:
                time.sleep(max(0.0, due - time.perf_counter()))
                body = notification(phone, f"wamid.{phone}.{self._windows}.{number}")
                headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(demo.APP_SECRET, body)}
                sent = time.perf_counter()
                http.post("/api/v1/whatsapp/webhook", content=body, headers=headers).raise_for_status()
                after = reply_after(http, phone, after, sent)
                yield time.perf_counter() - sent
                number, due = number + 1, max(due + self._every, time.perf_counter())


class _Campaign:
    """One campaign of the demo's number, and how many of its messages were delivered."""

    def __init__(self, url: str, api: httpx.Client, recipients: int, pace: float) -> None:
        self._sim, self._api = httpx.Client(base_url=url, timeout=60, trust_env=False), api
        account: dict[str, Any] = {"app_secret": demo.APP_SECRET, "access_token": demo.ACCESS_TOKEN, "waba_id": WABA}
        account |= {"display_phone_number": demo.DISPLAY_PHONE_NUMBER}
        self._sim.put(f"/_sim/numbers/{demo.PHONE_NUMBER_ID}", json=account).raise_for_status()
        number = account | {"verify_token": demo.VERIFY_TOKEN, "default_flow_id": f"{FLOW}_{NODES[0]}"}
        allowed = max(80, ceil(pace * 5 / 4))
        number |= {"messages_per_second": allowed}
        self._sim.put("/_sim/limits", json={"messages_per_second": allowed}).raise_for_status()
        limits = {
            "messages_per_minute": 60 * allowed,
            "contact_messages_per_minute": 10_000,
            "people_per_day": 10**6,
        }
        rows = "\n".join(f"55119{index:08d},vip,granted,form" for index in range(recipients))
        template = {"name": TEMPLATE["name"], "language": TEMPLATE["language"]}
        vips = {"name": "VIPs", "all": [{"field": "tags", "operator": "contains", "value": "vip"}]}
        campaign = {
            "name": "Spring",
            "phone_number_id": demo.PHONE_NUMBER_ID,
            "segment_id": "vips",
            "template": template,
        }
        csv = f"phone,tags,consent_marketing,consent_source\n{rows}\n"
        api.put("/organization", json=limits).raise_for_status()
        api.put(f"/numbers/{demo.PHONE_NUMBER_ID}", json=number).raise_for_status()
        api.post("/templates", json=TEMPLATE | {"phone_number_id": demo.PHONE_NUMBER_ID}).raise_for_status()
        accepted = api.post("/contacts/import", content=csv.encode(), headers={"Content-Type": "text/csv"})
        imported = f"/contacts/imports/{accepted.raise_for_status().json()['import_id']}"
        _until(lambda: api.get(imported).json()["status"] == "completed")
        _until(lambda: api.get("/templates/spring_sale/pt_BR").json().get("status") == "APPROVED")
        api.put("/segments/vips", json=vips).raise_for_status()
        api.put("/campaigns/spring", json=campaign | {"pace_per_second": pace}).raise_for_status()
        self._started = False

    def delivered(self) -> int:
        """The messages of the campaign that were delivered."""
        entries = self._sim.get("/_sim/billing").json()["messages"]
        return sum(entry["messages"] for entry in entries if entry["category"] == "marketing")

    def go(self) -> None:
        """Start or resume it, and wait for its next message."""
        before = self.delivered()
        self._api.post(f"/campaigns/spring/{'resume' if self._started else 'start'}").raise_for_status()
        self._started = True
        _until(lambda: self.delivered() > before, 3 * TICK_SECONDS)

    def pause(self) -> tuple[float, float]:
        """Pause it: the seconds of the answer, and until its last message."""
        asked = time.perf_counter()
        self._api.post("/campaigns/spring/pause").raise_for_status()
        answered = last = time.perf_counter()
        seen = self.delivered()
        while time.perf_counter() - last < QUIET_SECONDS:
            time.sleep(0.5)
            if (now := self.delivered()) != seen:
                seen, last = now, time.perf_counter()
        return answered - asked, last - asked


def _until(holds: Callable[[], bool], seconds: float = 600) -> None:
    end = time.perf_counter() + seconds
    while not holds():
        if time.perf_counter() > end:
            raise TimeoutError(f"it does not hold after {seconds:g} s")
        time.sleep(0.5)


@contextmanager
def _cloud() -> Iterator[tuple[str, httpx.Client, int]]:
    folder = Path(tempfile.mkdtemp(prefix="pytake-campaign-"))
    try:
        with running(folder, free_port()) as (url, _, process), set_up(url, NODES[0]) as api:
            yield url, api, process
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(recipients: int, pace: float, people: int, every: float, seconds: float, rounds: int) -> list[Round]:
    """Start a local cloud of its own and measure. Raises `NotInstalledError` when it does not start or does not answer."""
    found = []
    with _cloud() as (url, api, process):
        campaign, chats = _Campaign(url, api, recipients, pace), _Chats(url, people, every)
        chats.window(min(seconds, 3 * every))  # warm workers are not started while the clock runs
        for _ in range(rounds):
            at = cpu_seconds_of(process)
            idle = chats.window(seconds)
            idle_cpu = cpu_seconds_of(process) - at
            campaign.go()
            before, begun, at = campaign.delivered(), time.perf_counter(), cpu_seconds_of(process)
            beside = chats.window(seconds)
            messages, took = campaign.delivered() - before, time.perf_counter() - begun
            beside_cpu = cpu_seconds_of(process) - at
            found.append(Round(idle, beside, idle_cpu, beside_cpu, messages, messages / took, *campaign.pause()))
    return found


def section(found: str) -> str:
    """The section of RESULTS.md."""
    today, load = datetime.now(UTC).date().isoformat(), os.getloadavg()[2]
    return f"""{HEADING}
Measured by `python -m benchmarks.local_campaign --record` on {today} at {commit()}: the local cloud,
the campaign and the people on one machine. Over the last quarter of an hour {load:.1f} programs at a time wanted to run on
{os.cpu_count()} cores, these included.

{found}
"""


def main() -> None:
    """Measure what people who chat notice of a campaign on the local cloud, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_campaign", description=main.__doc__)
    parser.add_argument("--pace", type=float, default=10, help="messages of the campaign per second")
    parser.add_argument("--people", type=int, default=20, help="people who chat")
    parser.add_argument("--every", type=float, default=4, help="seconds after which each of them writes again")
    parser.add_argument("--seconds", type=float, default=TICK_SECONDS, help="of a window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recipients", type=int, help="default: as many as the rounds need")
    parser.add_argument("--record", action="store_true", help="write the table to RESULTS.md")
    given = parser.parse_args()
    needed = ceil(given.pace * (given.seconds + HORIZON_SECONDS) * given.rounds)
    recipients = given.recipients or needed + ceil(given.pace * TICK_SECONDS)
    if recipients < needed:
        parser.error(f"the campaign would end before it is paused: {needed} recipients are needed")
    rounds = measure(recipients, given.pace, given.people, given.every, given.seconds, given.rounds)
    found = report(rounds, given.pace, given.people, given.every, os.cpu_count() or 1)
    print(found)
    if given.record:
        RESULTS.write_text(with_section(RESULTS.read_text(), HEADING, section(found), NEXT_HEADING))


if __name__ == "__main__":
    main()
