"""Print a digest of the bytes of every golden conversation's turns: `python -m tests.engine.dump_golden`.

This module imports only the engine, so any Python with the engine's dependencies can run it.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

import msgspec

from pytake.engine import EffectResult, Input, compile_flow
from tests.engine.conversations import GOLDEN, Talk, documents_of


def digest_of(path: Path) -> str:
    """A digest of the turns of one golden conversation, and of the states between them."""
    golden = json.loads(path.read_bytes())
    documents = documents_of(golden)
    talk = Talk(compile_flow(documents, next(iter(documents))), **golden.get("context", {}))
    digest = sha256()
    for entry in golden["inputs"]:
        user_input = {"text": entry} if isinstance(entry, str) else dict(entry)
        talk.now += user_input.pop("after_seconds", 0)
        results = [msgspec.convert(result, EffectResult) for result in user_input.pop("results", [])]
        digest.update(msgspec.json.encode(talk.say(msgspec.convert(user_input, Input), results)))
        digest.update(msgspec.json.encode(talk.effects))
        digest.update(talk.stored or b"-")
    return digest.hexdigest()


def main() -> None:
    """Print a line for each golden conversation."""
    for path in sorted(GOLDEN.glob("*.json")):
        sys.stdout.write(f"{path.stem} {digest_of(path)}\n")


if __name__ == "__main__":
    main()
