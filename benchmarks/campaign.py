"""`make capacity`: a campaign of a million people, simulated, and what AWS takes for it."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.campaign_cost import Campaign, cost, through_aws
from benchmarks.campaign_simulation import Simulated, simulate
from benchmarks.report import commit, table, with_section

RESULTS = Path(__file__).with_name("RESULTS.md")
HEADING, NEXT_HEADING = "## A campaign to a million people\n", "## The lake\n"

TARGET_USD, TARGET_RATE, TARGET_MB = 12, 0.01, 64


def verdict(done: Simulated, known: dict[str, float], new: dict[str, float]) -> str:
    """The targets and whether they hold."""
    rate = f"{done.per_second:.3f} a second, {done.allowed:g} allowed, {done.seconds / 3600:.2f} hours"
    of_api, of_url = (
        f"{of_known:.2f} USD; {of_new:.2f} for people without a conversation"
        for of_known, of_new in ((sum(known.values()), sum(new.values())), (by_url(known), by_url(new)))
    )
    return table(
        ["figure", "target", "simulated"],
        [
            ["messages a second", f"allowed ± {TARGET_RATE:.0%}", rate],
            ["sent twice", "0", f"{done.twice} of {done.released:,}"],
            [
                "memory of the scheduled function, beside the stored audience",
                f"≤ {TARGET_MB} MB",
                f"{done.megabytes:.0f} MB",
            ],
            ["AWS list price for a million, Meta posts to a function URL", f"≤ {TARGET_USD} USD", of_url],
            ["the same, Meta posts to the HTTP API (the default)", "", of_api],
        ],
    )


def by_url(parts: dict[str, float]) -> float:
    """US dollars when Meta posts to a URL of the webhook's function (ADR 41)."""
    return sum(parts.values()) - parts["statuses: API Gateway"]


def cost_table(known: dict[str, float], new: dict[str, float]) -> str:
    """What the price consists of."""
    rows = [[name, f"{usd:.2f}", f"{new[name]:.2f}"] for name, usd in known.items()]
    total = ["all", *(f"{sum(parts.values()):.2f}" for parts in (known, new))]
    return table(["USD of a million messages", "known people", "new people"], [*rows, total])


def units(known: Campaign, new: Campaign) -> str:
    """What was counted for one person."""
    rows = [
        [name, f"{one.write_units:.2f}", f"{one.read_units:.2f}", f"{one.cpu_ms:.2f}", ", ".join(_asked(one.requests))]
        for name, one in (
            ("release, known person", known.release),
            ("release, new person", new.release),
            ("sender, before the slot", known.early),
            ("sender", known.send),
            ("recounts", known.recounts),
        )
    ]
    return table(["for one person", "write units", "read units", "CPU ms", "requests"], rows)


def _asked(requests: dict[str, float]) -> list[str]:
    return [f"{name.partition('.')[2]} {count:.2g}" for name, count in requests.items()]


def section(done: Simulated, known: Campaign, new: Campaign) -> str:
    """The section of RESULTS.md."""
    of_known, of_new = cost(known), cost(new)
    return f"""{HEADING}
Simulated by `make capacity` on {datetime.now(UTC).date().isoformat()} at {commit()}: one number, a template without a flow,
three statuses a message. The ticks, the claims and the parts of the audience are the product's, the turns are counted. The
price is that of us-east-1 on arm64 without logs and storage, from what 500 people take through the real adapters
([ADR 40](../docs/adr/0040-what-a-campaign-costs.md) says what is assumed). Meta's own fees are not in it. A function URL is
the webhook's address with `WebhookEndpoint=function-url` ([ADR 41](../docs/adr/0041-a-function-url-for-the-webhook.md)).

{verdict(done, of_known, of_new)}

{cost_table(of_known, of_new)}

{units(known, new)}
"""


def main() -> None:
    """Simulate a campaign, and print its rate and what AWS takes for it. A whole million is written to RESULTS.md."""
    parser = argparse.ArgumentParser(prog="make capacity", description=main.__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    people: int = parser.parse_args().people
    done = simulate(people)
    known, new = through_aws(known=True), through_aws()
    print(section(done, known, new))
    if people == 1_000_000:
        RESULTS.write_text(with_section(RESULTS.read_text(), HEADING, section(done, known, new), NEXT_HEADING))
        print(f"Written: {RESULTS}")


if __name__ == "__main__":
    main()
