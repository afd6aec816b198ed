"""cfn-lint on template.yaml, and on its translation: cfn-lint does not see every problem through SAM's resource types."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import TEMPLATE, Stack


@pytest.mark.parametrize("form", ["source", "translated"])
def test_the_template_has_no_findings(stack: Stack, form: str, tmp_path: Path) -> None:
    path = TEMPLATE
    if form == "translated":
        path = tmp_path / "template.json"
        path.write_text(json.dumps(stack.document))
    lint = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", "us-east-1", "--template", str(path)]
    # The translation fills in parameters: Fn::Sub stays around nothing (W1020), and TrafficShift is no longer used (W2001).
    ignored = ["W1020", "W2001"] if form == "translated" else ["W1020"]
    done = subprocess.run([*lint, "--ignore-checks", *ignored], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
