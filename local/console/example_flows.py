"""The flows that come with the repository, to start from."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "flows"


def example_flows() -> dict[str, dict[str, Any]]:
    """Return the example flows by id; none where only the package is installed."""
    paths = (path for path in sorted(FOLDER.glob("*.json")) if not path.name.endswith(".test.json"))
    documents = (json.loads(path.read_bytes()) for path in paths)
    return {document["id"]: document for document in documents}
