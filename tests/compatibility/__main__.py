"""`python -m tests.compatibility` records the samples of the version in pyproject.toml. Run it for every release."""

import json
import tomllib
from pathlib import Path
from typing import Any

from pytake.engine import Input, compile_flow
from tests.compatibility.stored_types import STORED, samples
from tests.engine.conversations import GOLDEN, Talk, documents_of
from tests.stack import REPOSITORY

FOLDER = Path(__file__).parent / "samples"


def version() -> str:
    """Return the version of this release."""
    return str(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"])


def flows() -> list[dict[str, Any]]:
    """Return the documents of the golden conversations, each with the stored state of a session that waits in them."""
    found: list[dict[str, Any]] = []
    for path in sorted(GOLDEN.glob("*.json")):
        golden = json.loads(path.read_bytes())
        documents = documents_of(golden)
        talk = Talk(compile_flow(documents, next(iter(documents))), **golden.get("context", {}))
        talk.say(Input(text="Hi"))
        state = json.loads(talk.stored) if talk.stored is not None else None
        found.append({"name": path.stem, "documents": documents, "state": state})
    return found


def main() -> None:
    """Write the samples, one per line."""
    stored = {name: samples(kind) for name, kind in STORED.items()}
    lines = [f'["{name}", {json.dumps(sample)}]' for name, of_type in stored.items() for sample in of_type]
    lines += [f'["flow", {json.dumps(flow, ensure_ascii=False)}]' for flow in flows()]
    path = FOLDER / f"{version()}.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path}: {len(lines)} samples")  # noqa: T201


if __name__ == "__main__":
    main()
