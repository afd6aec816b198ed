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
    # W1020: the translation fills a parameter into the layer's name and leaves the Fn::Sub around it.
    done = subprocess.run([*lint, "--ignore-checks", "W1020"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
