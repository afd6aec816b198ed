"""checkov on the translated template. `checkov_skips.yaml` lists the accepted findings with reasons."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stack import REPOSITORY, Stack

CHECKOV = REPOSITORY / ".tools" / "checkov" / "bin" / "checkov"
SKIPS: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "checkov_skips.yaml").read_text())


@pytest.fixture(scope="module")
def failed(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The failed checks, each with the logical ids of the resources that fail it."""
    assert CHECKOV.exists(), "checkov is not installed: run `make tools` once"
    folder = tmp_path_factory.mktemp("checkov")
    path = folder / "template.json"
    path.write_text(json.dumps(stack.document))
    command = [str(CHECKOV), "--framework", "cloudformation", "--file", str(path), "--output", "json", "--compact"]
    # Without network: it downloads neither policies nor guides to its findings.
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LOG_LEVEL": "ERROR"}
    done = subprocess.run(
        [*command, "--skip-download", "--quiet"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 100  # it checked the whole template
    found: dict[str, set[str]] = {}
    for check in report["results"]["failed_checks"]:
        found.setdefault(check["check_id"], set()).add(check["resource"].rpartition(".")[2])
    return found


def test_every_finding_has_a_reason(failed: dict[str, set[str]]) -> None:
    unexpected = {
        check: sorted(resources - set(SKIPS[check].get("resources", resources)) if check in SKIPS else resources)
        for check, resources in failed.items()
    }
    assert {check: resources for check, resources in unexpected.items() if resources} == {}


def test_every_reason_is_still_needed(failed: dict[str, set[str]]) -> None:
    assert set(SKIPS) <= set(failed)
    for check, skip in SKIPS.items():
        assert set(skip.get("resources", ())) <= failed[check], check
        assert len(skip["why"]) > 40
