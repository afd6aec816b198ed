"""Golden imports: `golden/<name>.json` holds an export, what it becomes, and a conversation through it.

`about`, `export` and `inputs` are written by hand. `python -m tests.importers.golden` writes the rest: the `documents`, the
`losses`, and what the bot says. Read the difference before you commit it.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from local.json_layout import lay_out
from pytake.engine import EffectResult, Input, compile_flow
from pytake.importers import import_flows
from tests.engine.conversations import Talk

GOLDEN = Path(__file__).parent / "golden"


def result_of(golden: dict[str, Any]) -> dict[str, Any]:
    """What follows from a golden file's export and inputs now."""
    imported = import_flows(json.dumps(golden["export"]).encode())
    return {
        "format": imported.format,
        "losses": [msgspec.to_builtins(loss) for loss in imported.losses],
        "documents": imported.documents,
        "heard": _heard(imported.documents, golden),
    }


def _heard(documents: list[dict[str, Any]], golden: dict[str, Any]) -> list[list[str]]:
    """What the bot says after each input."""
    inputs = golden.get("inputs", [])
    if not inputs:
        return []
    root = golden.get("root", documents[0]["id"])
    talk = Talk(compile_flow({document["id"]: document for document in documents}, root), **golden.get("context", {}))
    heard = []
    for entry in inputs:
        user_input = {"text": entry} if isinstance(entry, str) else dict(entry)
        talk.now += user_input.pop("after_seconds", 0)
        results = [msgspec.convert(result, EffectResult) for result in user_input.pop("results", [])]
        turn = talk.say(msgspec.convert(user_input, Input), results)
        heard.append([_line(msgspec.to_builtins(message)) for message in turn.messages])
    return heard


def _line(message: dict[str, Any]) -> str:
    """A message on one line: its text, and its options."""
    text = message.get("body") or message.get("text") or message.get("link") or message.get("media") or message["type"]
    options = [one.get("title", "") for one in [*message.get("buttons", []), *message.get("rows", [])]]
    return f"{text} [{' | '.join(options)}]" if options else str(text)


def main() -> None:
    """Write what follows now into the golden files."""
    for path in sorted(GOLDEN.glob("*.json")):
        golden = json.loads(path.read_bytes())
        path.write_text(lay_out({**golden, **result_of(golden)}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
