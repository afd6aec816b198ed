"""Worker processes: pinned to one core, controlled by JSON lines."""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.environments import Environment

QUIET = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"}
"""The environment variables of a worker, without those that an engine might react to."""


class WorkerError(Exception):
    """A worker ended or reported an error."""


def last_core() -> int | None:
    """The core that the workers share; None if processes cannot be pinned."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _pin(core: int) -> None:
    os.sched_setaffinity(0, {core})


def start(command: list[str], folder: Path, variables: Mapping[str, str], core: int | None) -> "subprocess.Popen[str]":
    """A process with pipes, on that core."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**QUIET, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(_pin, core) if core is not None else None,
    )


class Worker:
    """One engine, kept alive for the whole run."""

    def __init__(self, environment: Environment, core: int | None) -> None:
        self.name = environment.name
        self._process = start(environment.command, environment.folder, environment.variables, core)

    def request(self, do: str, **details: Any) -> dict[str, Any]:
        """Send a command and return its answer. Raises WorkerError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **details}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            raise WorkerError(f"{self.name} ended: {self._process.stderr.read()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"{self.name}: {answer['error']}")
        return answer

    def turn(self, conversation: str, text: str) -> list[str]:
        """Take one turn. An error is returned as a text, so that it counts as a wrong answer."""
        try:
            texts: list[str] = self.request("turn", conversation=conversation, text=text)["texts"]
        except WorkerError as error:
            return [f"!! {error}"]
        return texts

    def drop(self, conversation: str) -> None:
        """Delete a conversation."""
        self.request("drop", conversation=conversation)

    def rebuild(self) -> None:
        """Create the engine's objects again."""
        self.request("rebuild")

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()


def once(command: list[str], folder: Path, variables: Mapping[str, str], core: int | None) -> dict[str, float]:
    """Run a new process that prints its times as one JSON line; add `process_ms`, its total time.

    Raises WorkerError when it prints none.
    """
    begun = time.perf_counter()
    process = start(command, folder, variables, core)
    out, err = process.communicate()
    total = (time.perf_counter() - begun) * 1e3
    if process.returncode != 0:
        raise WorkerError(f"{' '.join(command[-3:])}: {err[-2000:]}")
    answer: dict[str, float] = json.loads(out.splitlines()[-1])
    return {**answer, "process_ms": total}
