"""The reference conversation on every engine, in one interleaved run."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from benchmarks.environments import (
    FOLDER,
    Environment,
    NotInstalledError,
    go_environment,
    node_environment,
    python_environment,
)
from benchmarks.reference import conversation, mismatches
from benchmarks.workers import Worker, WorkerError, last_core, once

OURS = "pytake"
ENGINES: dict[str, tuple[str, Callable[[], Environment]]] = {
    OURS: ("PyTake", lambda: python_environment("pytake", "msgspec")),
    "transitions": ("transitions", lambda: python_environment("transitions", "transitions")),
    "xstate": ("XState (Node)", lambda: node_environment("xstate")),
    "goflow": ("goflow (Go)", lambda: go_environment("goflow")),
    "botbuilder": ("botbuilder-dialogs", lambda: python_environment("botbuilder", "botbuilder_dialogs")),
    "langgraph": ("LangGraph", lambda: python_environment("langgraph", "langgraph")),
}
"""By name: the title in the tables, and the function that creates the environment."""

CONVERSATIONS = 1000
"""How many different conversations the runs alternate between."""

Measurements = dict[str, float]


@dataclass
class Result:
    """The measurements of one engine."""

    name: str
    title: str
    version: str
    disk_mb: float
    rounds: list[Measurements] = field(default_factory=list)
    colds: list[Measurements] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    rss: Measurements = field(default_factory=dict)

    def median(self, figure: str) -> float:
        """The median of a figure over the rounds."""
        return median(one[figure] for one in self.rounds)

    def cold(self, figure: str) -> float:
        """The median of a figure over the cold starts."""
        return median(one[figure] for one in self.colds)

    def ratio_to(self, ours: "Result", figure: str) -> float:
        """How many times faster ours is, by the median ratio per round, because noise affects both engines of a round."""
        pairs = zip(ours.rounds, self.rounds, strict=True)
        if figure == "turns_per_second":
            return median(mine[figure] / theirs[figure] for mine, theirs in pairs)
        return median(theirs[figure] / mine[figure] for mine, theirs in pairs)


def measure(rounds: int, seconds: float, colds: int, log: Callable[[str], None]) -> tuple[list[Result], dict[str, str]]:
    """Install, check and measure. Return the results and the reasons for missing engines."""
    missing: dict[str, str] = {}
    environments: dict[str, Environment] = {}
    for name, (title, make) in ENGINES.items():
        log(f"preparing {title}")
        try:
            environments[name] = make()
        except NotInstalledError as error:
            missing[name] = str(error)
    results = {
        name: Result(name, ENGINES[name][0], environment.version, environment.disk_mb)
        for name, environment in environments.items()
    }
    core = last_core()
    _cold(environments, results, colds, core, log)
    _warm(environments, results, missing, rounds, seconds, core, log)
    return [result for result in results.values() if result.name not in missing], missing


def _cold(
    environments: dict[str, Environment],
    results: dict[str, Result],
    colds: int,
    core: int | None,
    log: Callable[[str], None],
) -> None:
    for number in range(colds + 1):
        log(f"cold starts, {number} of {colds}")
        for name, environment in environments.items():
            figures = once([*environment.command, "--cold"], environment.folder, environment.variables, core)
            if number:  # the first compiles what is not compiled yet, and brings files into memory
                results[name].colds.append(figures)


def _warm(
    environments: dict[str, Environment],
    results: dict[str, Result],
    missing: dict[str, str],
    rounds: int,
    seconds: float,
    core: int | None,
    log: Callable[[str], None],
) -> None:
    listed = FOLDER / "conversations.json"
    listed.write_text(json.dumps([conversation(number) for number in range(CONVERSATIONS)]))
    workers = {name: Worker(environment, core) for name, environment in environments.items()}
    try:
        for name, worker in list(workers.items()):
            log(f"checking {results[name].title}")
            loaded = worker.request("load", conversations=str(listed))
            results[name].rss = {figure: loaded[figure] for figure in ("rss_before_mb", "rss_loaded_mb")}
            wrong = list(mismatches(worker.turn, worker.rebuild, worker.drop))
            if wrong:
                missing[name] = f"does not conform: {wrong[0]}"
                workers.pop(name).close()
            else:
                results[name].sizes = worker.request("sizes")["sizes"]
        for name in workers:
            workers[name].request("run", seconds=min(seconds, 0.3))  # warms up
        for number in range(1, rounds + 1):
            log(f"round {number} of {rounds}")
            for name, worker in workers.items():
                figures = worker.request("run", seconds=seconds)
                if figures["wrong"]:
                    raise WorkerError(f"{name} answered {figures['wrong']} turns differently while it was timed")
                results[name].rounds.append(figures)
                results[name].rss["rss_mb"] = figures["rss_mb"]
    finally:
        for worker in workers.values():
            worker.close()
