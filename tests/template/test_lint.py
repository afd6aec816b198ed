"""cfn-lint on what CloudFormation really gets: raw SAM hides findings from it."""

import json
import subprocess
import sys
from pathlib import Path

from tests.template.conftest import Stack


def test_the_translated_template_has_no_findings(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(stack.document))
    # W1020: the translation fills a parameter into the layer's name and leaves the Fn::Sub around it.
    lint = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--regions",
        "us-east-1",
        "--ignore-checks",
        "W1020",
        "--template",
    ]
    done = subprocess.run([*lint, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
