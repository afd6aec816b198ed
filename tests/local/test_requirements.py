"""What `make run` installs is a part of what the tests ran with, in the same versions."""

import re
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def pins(name: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (REQUIREMENTS / name).read_text(), re.MULTILINE))


def test_what_runs_was_tested_in_the_same_versions() -> None:
    assert pins("layer.txt")
    assert pins("layer.txt") <= pins("local.txt") | pins("dev.txt")


def test_the_tools_of_tests_and_checks_add_to_what_running_needs() -> None:
    assert pins("local.txt")
    assert pins("dev.txt")
    assert not {name for name, _ in pins("local.txt")} & {name for name, _ in pins("dev.txt")}
