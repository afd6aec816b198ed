"""A campaign on the local cloud while people chat: what their replies take beside it and without it, and how soon a pause acts.

`python -m benchmarks.local_campaign` sends 10 messages a second, which two cores carry beside 20 people; a larger machine takes
`--pace 80 --recipients 10000 --rounds 1`. The campaign and the people use the same number. A round is a window without the
campaign and one beside it, so that a change of the machine falls on both.
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
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.growth_probe import FLOW
from benchmarks.local_benchmark import MAX_ANSWER_SECONDS, NODES, free_port, notification, reply_after, running, set_up
from benchmarks.report import table
from local import demo
from pytake.campaigns.claim import HORIZON_SECONDS
from pytake.whatsapp.signature import sign

WABA = "100000000000990"
TEMPLATE: dict[str, Any] = {
    "name": "spring_sale",
    "language": "pt_BR",
    "category": "MARKETING",
    "components": [{"type": "BODY", "text": "Quer ver as ofertas?"}],
}
TICK_SECONDS = 60
QUIET_SECONDS = 15
"""A campaign is paused when no message of it has come for so long."""


@dataclass
class Round:
    """The seconds of the replies in a window without the campaign and in one beside it, the campaign's messages per second in the
    latter, and after a pause the seconds of its answer and until the last message of the campaign."""

    idle: list[float] = field(repr=False)
    beside: list[float] = field(repr=False)
    per_second: float
    pause_answer: float
    last_message: float

    @property
    def ratio(self) -> float:
        """The median beside the campaign divided by the one without it."""
        return median(self.beside) / median(self.idle)


def report(rounds: list[Round], pace: float, people: int) -> str:
    """A row per round, and what the figures say."""
    head = [
        "round",
        "p50 idle ms",
        "p50 beside ms",
        "ratio",
        "campaign /s",
        "pause answered ms",
        "last message after s",
    ]
    rows = [
        [
            str(number),
            *(f"{median(seconds) * 1000:.0f}" for seconds in (one.idle, one.beside)),
            f"{one.ratio:.2f}",
            f"{one.per_second:.1f}",
            f"{one.pause_answer * 1000:.0f}",
            f"{one.last_message:.1f}",
        ]
        for number, one in enumerate(rounds, 1)
    ]
    ratio = median(one.ratio for one in rounds)
    return (
        f"{table(head, rows)}\n\n{people} people beside a campaign of {pace:g} a second: p50 {ratio:.2f}x of idle (target 1.5x). "
        f"After a pause, the messages leave whose slots were reserved before it: at most those of {HORIZON_SECONDS} s."
    )


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
        account = {"app_secret": demo.APP_SECRET, "access_token": demo.ACCESS_TOKEN, "waba_id": WABA}
        account |= {"display_phone_number": demo.DISPLAY_PHONE_NUMBER}
        self._sim.put(f"/_sim/numbers/{demo.PHONE_NUMBER_ID}", json=account).raise_for_status()
        number = account | {"verify_token": demo.VERIFY_TOKEN, "default_flow_id": f"{FLOW}_{NODES[0]}"}
        limits = {"messages_per_minute": 4_800, "contact_messages_per_minute": 10_000, "people_per_day": 10**6}
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
def _cloud() -> Iterator[tuple[str, httpx.Client]]:
    folder = Path(tempfile.mkdtemp(prefix="pytake-campaign-"))
    try:
        with running(folder, free_port()) as (url, _, _), set_up(url, NODES[0]) as api:
            yield url, api
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(recipients: int, pace: float, people: int, every: float, seconds: float, rounds: int) -> list[Round]:
    """Start a local cloud of its own and measure. Raises `NotInstalledError` when it does not start or does not answer."""
    found = []
    with _cloud() as (url, api):
        campaign, chats = _Campaign(url, api, recipients, pace), _Chats(url, people, every)
        chats.window(min(seconds, 3 * every))  # warm workers are not started while the clock runs
        for _ in range(rounds):
            idle = chats.window(seconds)
            campaign.go()
            before, begun = campaign.delivered(), time.perf_counter()
            beside = chats.window(seconds)
            per_second = (campaign.delivered() - before) / (time.perf_counter() - begun)
            found.append(Round(idle, beside, per_second, *campaign.pause()))
    return found


def main() -> None:
    """Measure what people who chat notice of a campaign on the local cloud, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_campaign", description=main.__doc__)
    parser.add_argument("--pace", type=float, default=10, help="messages of the campaign per second")
    parser.add_argument("--people", type=int, default=20, help="people who chat")
    parser.add_argument("--every", type=float, default=4, help="seconds after which each of them writes again")
    parser.add_argument("--seconds", type=float, default=45, help="of a window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recipients", type=int, help="default: as many as the rounds need")
    given = parser.parse_args()
    needed = int(given.pace * (given.seconds + HORIZON_SECONDS + TICK_SECONDS) * given.rounds)
    recipients = given.recipients or needed
    found = measure(recipients, given.pace, given.people, given.every, given.seconds, given.rounds)
    print(report(found, given.pace, given.people))


if __name__ == "__main__":
    main()
