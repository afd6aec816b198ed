"""Tables of the engines' measurements."""

from statistics import fmean

from benchmarks.engine_benchmark import ENGINES, OURS, Result
from benchmarks.report import figure, table, times


def engine_tables(results: list[Result], missing: dict[str, str]) -> str:
    """The tables: speed, cold start and size, with ratios against ours."""
    ours = next((result for result in results if result.name == OURS), None)
    if ours is None:
        return f"PyTake's own engine could not be measured: {missing[OURS]}"
    speed = table(
        ["engine", "turns/s", "p50 µs", "p99 µs", "CPU µs/turn", "PyTake is", "in CPU time"],
        [
            [
                f"{one.title} {one.version}".strip() if one is not ours else one.title,
                f"{one.median('turns_per_second'):,.0f}",
                *(figure(one.median(name)) for name in ("p50_us", "p99_us", "cpu_us")),
                *(["", ""] if one is ours else [times(one.ratio_to(ours, f)) for f in ("turns_per_second", "cpu_us")]),
            ]
            for one in results
        ],
    )
    start = table(
        [
            "engine",
            "import ms",
            "in CPU ms",
            "build ms",
            "first turn ms",
            "process ms",
            "RSS added MB",
            "state bytes",
            "disk MB",
        ],
        [
            [
                one.title,
                *(
                    figure(one.cold(name))
                    for name in ("import_ms", "import_cpu_ms", "build_ms", "first_turn_ms", "process_ms")
                ),
                figure(one.rss["rss_mb"] - one.rss["rss_before_mb"]),
                f"{fmean(one.sizes[:-1]):,.0f} / {max(one.sizes):,}",
                figure(one.disk_mb),
            ]
            for one in results
        ],
    )
    left_out = "".join(f"\n\nNot measured: {ENGINES[name][0]}: {why}." for name, why in missing.items())
    return f"{speed}\n\n{start}{left_out}"


def engine_targets(results: list[Result]) -> list[list[str]]:
    """The rows of the table of targets: figure, target, measured."""
    by_name = {result.name: result for result in results}
    ours = by_name[OURS]
    rows = [
        [
            "engine turn with state load and save",
            "≤ 5 µs mean",
            f"{1e6 / ours.median('turns_per_second'):.1f} µs ({ours.median('cpu_us'):.1f} µs CPU)",
        ]
    ]
    for name, target in (("goflow", "≥ 50x"), ("transitions", "≥ 5x"), ("langgraph", "≥ 300x")):
        if name in by_name:
            rows.append(
                [f"against {ENGINES[name][0]}", target, times(by_name[name].ratio_to(ours, "turns_per_second"))]
            )
    return [
        *rows,
        ["engine import", "≤ 40 ms", f"{ours.cold('import_ms'):.0f} ms ({ours.cold('import_cpu_ms'):.0f} ms CPU)"],
        ["stored state, largest", "≤ 200 bytes", f"{max(ours.sizes)} bytes"],
        ["memory added", "≤ 20 MB", f"{ours.rss['rss_mb'] - ours.rss['rss_before_mb']:.1f} MB"],
    ]
