"""Follow the log files of the local cloud."""

import asyncio
from pathlib import Path
from typing import TextIO

PAUSE_SECONDS = 0.2
NOT_FOLLOWED = {"deployment.log"}
"""The output of `sam` is shown only when it fails."""


class LogFollower:
    """Reads the lines that were added to the log files of a folder."""

    def __init__(self, folder: Path) -> None:
        """Start at the current end of the files."""
        self._folder = folder
        self._offsets = {path: path.stat().st_size for path in self._files()}

    def new_lines(self) -> list[str]:
        """Return the complete lines added since the last call, each with the name of its file."""
        lines = []
        for path in self._files():
            offset = self._offsets.get(path, 0)
            if path.stat().st_size < offset:
                offset = 0  # the file was truncated
            with path.open("rb") as file:
                file.seek(offset)
                text, newline, _unfinished = file.read().rpartition(b"\n")
            self._offsets[path] = offset + len(text) + len(newline)
            lines += [f"{path.stem}: {line}" for line in text.decode(errors="replace").splitlines()]
        return lines

    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*.log") if path.name not in NOT_FOLLOWED)


async def follow(folder: Path, to: TextIO) -> None:
    """Write new lines to `to` until cancelled."""
    follower = LogFollower(folder)
    while True:
        for line in follower.new_lines():
            to.write(f"{line}\n")
        to.flush()
        await asyncio.sleep(PAUSE_SECONDS)
