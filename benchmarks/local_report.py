"""Tables of the local cloud's measurements."""

from benchmarks.local_benchmark import POLITE, LocalResult
from benchmarks.report import figure, table


def local_table(local: LocalResult) -> str:
    """A row per load."""
    head = ["people writing", "nodes", "turns/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms per turn"]
    rows = [
        [
            str(load.people),
            f"{load.nodes:,}",
            figure(load.turns_per_second),
            *(f"{load.percentile(share) * 1000:.0f}" for share in (0.5, 0.95, 0.99)),
            f"{load.cpu_ms_per_turn:.0f}",
        ]
        for load in local.loads
    ]
    return table(head, rows)


def local_targets(local: LocalResult) -> list[list[str]]:
    """Rows of the targets' table."""
    polite = local.load(POLITE)
    return [
        [
            "local cloud, webhook to reply accepted",
            "p50 ≤ 100 ms",
            f"{polite.percentile(0.5) * 1000:.0f} ms ({POLITE} people)",
        ],
        [
            "local cloud, turns sustained",
            "≥ 35/s",
            f"{figure(local.sustained.turns_per_second)}/s ({local.sustained.people} people,"
            f" {local.sustained.cpu_ms_per_turn:.0f} ms CPU each)",
        ],
        [
            "local cloud, second start to ready",
            "≤ 5 s",
            f"{local.second_start:.1f} s (first {local.first_start:.0f} s)",
        ],
    ]
