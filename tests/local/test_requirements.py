"""What `make run` installs is a part of what the tests ran with, in the same versions."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def pins(name: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (REQUIREMENTS / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", ["local.txt", "layer.txt"])
def test_what_runs_was_tested_in_the_same_versions(name: str) -> None:
    assert pins(name)
    assert pins(name) <= pins("dev.txt")
