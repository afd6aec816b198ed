"""One engine in its own process: commands are JSON lines on stdin, answers are JSON lines on stdout.

Runs in the virtual environment of its engine and imports little of the standard library, so that the engine's own imports
are measured.

    python -m benchmarks.worker pytake          a worker
    python -m benchmarks.worker pytake --cold   import, build, one turn: the times on one line
"""

import importlib
import json
import os
import sys
from time import perf_counter_ns, process_time_ns
from typing import Any, Protocol

MEGABYTE = 1_000_000


class Bot(Protocol):
    """An engine with the reference flow loaded. States are kept as bytes, or as the engine's own checkpoints."""

    def turn(self, conversation: str, text: str) -> list[str]:
        """Load the state, run to the next question or to the end, and save the state. All of it is timed."""

    def drop(self, conversation: str) -> None:
        """Delete a conversation."""

    def rebuild(self) -> None:
        """Create the engine's objects again; stored states stay."""

    def stored_bytes(self, conversation: str) -> int:
        """The stored bytes of a conversation; 0 after its end."""


def load(engine: str) -> tuple[Bot, dict[str, float]]:
    """The engine with the flow loaded, and how long importing and building took."""
    cpu_begun, begun = process_time_ns(), perf_counter_ns()
    module = importlib.import_module(f"benchmarks.engines.{engine}_bot")
    imported, cpu = perf_counter_ns(), process_time_ns()
    bot: Bot = module.ReferenceBot()
    built = perf_counter_ns()
    return bot, {
        "import_ms": (imported - begun) / 1e6,
        "import_cpu_ms": (cpu - cpu_begun) / 1e6,
        "build_ms": (built - imported) / 1e6,
    }


def resident_mb() -> float:
    """Resident memory of this process in MB; 0 if the system does not report it."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
    except OSError:
        return 0.0


def run(bot: Bot, conversations: list[list[tuple[str, list[str]]]], seconds: float) -> dict[str, float]:
    """Run whole conversations for this many seconds. Comparing the answers is not timed."""
    times: list[int] = []
    cpu = wrong = number = 0
    stop = perf_counter_ns() + seconds * 1e9
    while perf_counter_ns() < stop:
        turns = conversations[number % len(conversations)]
        key = f"timed-{number}"
        answers = []
        cpu_begun = process_time_ns()
        for said, _ in turns:
            begun = perf_counter_ns()
            answer = bot.turn(key, said)
            times.append(perf_counter_ns() - begun)
            answers.append(answer)
        cpu += process_time_ns() - cpu_begun
        wrong += sum(answer != expected for answer, (_, expected) in zip(answers, turns, strict=True))
        bot.drop(key)
        number += 1
    times.sort()
    return {
        "turns": len(times),
        "turns_per_second": len(times) / (sum(times) / 1e9),
        "p50_us": times[len(times) // 2] / 1e3,
        "p99_us": times[len(times) * 99 // 100] / 1e3,
        "cpu_us": cpu / len(times) / 1e3,
        "wrong": wrong,
    }


def stored_bytes(bot: Bot, turns: list[tuple[str, list[str]]]) -> list[int]:
    """The stored bytes after each turn of one conversation."""
    sizes = []
    for said, _ in turns:
        bot.turn("sized", said)
        sizes.append(bot.stored_bytes("sized"))
    bot.drop("sized")
    return sizes


def serve(engine: str) -> None:
    """Execute the commands until the input ends."""
    bot: Bot | None = None
    conversations: list[list[tuple[str, list[str]]]] = []
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            if order["do"] == "load":
                with open(order["conversations"]) as file:
                    conversations = json.load(file)
                before = resident_mb()
                bot, answer = load(engine)
                answer |= {"rss_before_mb": before, "rss_loaded_mb": resident_mb()}
            elif bot is None:
                answer["error"] = "not loaded"
            elif order["do"] == "turn":
                answer["texts"] = bot.turn(order["conversation"], order["text"])
            elif order["do"] == "drop":
                bot.drop(order["conversation"])
            elif order["do"] == "rebuild":
                bot.rebuild()
            elif order["do"] == "sizes":
                answer["sizes"] = stored_bytes(bot, conversations[0])
            elif order["do"] == "run":
                answer = run(bot, conversations, order["seconds"]) | {"rss_mb": resident_mb()}
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"[:1000]
        print(json.dumps(answer), flush=True)


def cold(engine: str) -> None:
    """The first turn of a fresh process."""
    bot, times = load(engine)
    begun = perf_counter_ns()
    bot.turn("first", "hi")
    times["first_turn_ms"] = (perf_counter_ns() - begun) / 1e6
    print(json.dumps(times), flush=True)


if __name__ == "__main__":
    (cold if "--cold" in sys.argv else serve)(sys.argv[1])
