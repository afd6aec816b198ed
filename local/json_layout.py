"""JSON laid out for people: an object or a list that fits into one line is written on one line.

`python -m local.json_layout FILE...` rewrites files (`make format`).
"""

import json
import sys
from pathlib import Path
from typing import Any

_LINE = 120


def lay_out(value: Any, indent: str = "") -> str:
    """The JSON text of a value; lines have at most 120 characters where the value allows it. No newline at the end."""
    line = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(indent) + len(line) <= _LINE:
        return line
    deeper = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(deeper + lay_out(item, deeper) for item in value) + f"\n{indent}]"
    entries = (f"{deeper}{json.dumps(key, ensure_ascii=False)}: {lay_out(item, deeper)}" for key, item in value.items())
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"


def formatted(text: bytes) -> bytes:
    """A JSON file's content, laid out, with a newline at the end."""
    return (lay_out(json.loads(text)) + "\n").encode()


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        text = path.read_bytes()
        if formatted(text) != text:
            path.write_bytes(formatted(text))
