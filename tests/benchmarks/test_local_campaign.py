"""What the benchmark of a campaign beside chats says of its figures."""

import pytest

from benchmarks import local_campaign
from benchmarks.local_campaign import Round, report
from benchmarks.report import with_section


def round_of(idle: list[float], beside: list[float], last_message: float = 1) -> Round:
    """Turns of 50 ms of CPU, and 450 messages that took nine seconds more."""
    spent = 0.05 * len(beside) + 9
    return Round(idle, beside, 0.05 * len(idle), spent, 450, 9.96, pause_answer=0.031, last_message=last_message)


def test_the_ratio_is_that_of_the_medians_round_by_round() -> None:
    rounds = [
        round_of([0.1, 0.2, 0.9], [0.2, 0.3, 5.0], 42.24),
        round_of([0.4, 0.4, 0.4], [0.4, 0.5, 0.6]),
        round_of([0.1], [0.3]),
    ]
    shown = report(rounds, 80, 20, every=4, cores=2)
    first = [cell.strip() for cell in shown.splitlines()[2].split("|")[1:-1]]
    assert first == ["1", "200", "300", "1.50", "10.0", "50", "20", "31", "42.2"]
    words = " ".join(shown.split())
    assert "20 people beside a campaign of 80 a second: 10.0 a second left, p50 1.50x of idle (target 1.5x)." in words
    assert "2 cores that do nothing else carry at most 88 messages a second beside 5.0 turns" in words


def test_a_campaign_that_would_end_before_its_pause_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["local_campaign", "--pace", "20", "--recipients", "500"])
    with pytest.raises(SystemExit):
        local_campaign.main()


def test_a_section_is_replaced_or_added_and_the_others_stay() -> None:
    document = "# Results\n\n## One\n\nold\n\n## The lake\n\nwet\n"
    replaced = "# Results\n\n## One\n\nnew\n\n## The lake\n\nwet\n"
    assert with_section(document, "## One\n", "## One\n\nnew\n", "## The lake\n") == replaced
    added = with_section(document, "## Two\n", "## Two\n\nsecond\n", "## The lake\n")
    assert added == document.replace("## The lake", "## Two\n\nsecond\n\n## The lake")
    assert with_section(added, "## Two\n", "## Two\n\nsecond\n", "## The lake\n") == added
