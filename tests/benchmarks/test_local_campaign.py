"""What the benchmark of a campaign beside chats says of its figures."""

from benchmarks.local_campaign import Round, report


def test_the_ratio_is_that_of_the_medians_round_by_round() -> None:
    rounds = [
        Round([0.1, 0.2, 0.9], [0.2, 0.3, 5.0], per_second=9.96, pause_answer=0.031, last_message=42.24),
        Round([0.4, 0.4, 0.4], [0.4, 0.5, 0.6], per_second=10, pause_answer=0.02, last_message=1),
        Round([0.1], [0.3], per_second=10, pause_answer=0.02, last_message=1),
    ]
    shown = report(rounds, 10, 20)
    first = [cell.strip() for cell in shown.splitlines()[2].split("|")[1:-1]]
    assert first == ["1", "200", "300", "1.50", "10.0", "31", "42.2"]
    assert "20 people beside a campaign of 10 a second: p50 1.50x of idle" in shown
