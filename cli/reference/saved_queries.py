"""The analysts' saved queries in `template.yaml`: CloudFormation cannot read a file, so `make docs` copies each into it."""

import json
import re
from pathlib import Path

from pytake import analytics

_QUERY = re.compile(r"^( +QueryString: ).* # (\w+)\.sql$", re.MULTILINE)
"""A line of the template that holds a query; its comment names the file."""


def with_saved_queries(template: str) -> str:
    """Return the template's text with each saved query as its file has it, on one line."""
    folder = Path(analytics.__file__).parent / "sql" / "saved"

    def line(found: re.Match[str]) -> str:
        query = json.dumps((folder / f"{found[2]}.sql").read_text(), ensure_ascii=False)
        return f"{found[1]}{query} # {found[2]}.sql"

    return _QUERY.sub(line, template)
