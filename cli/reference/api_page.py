"""The generated tables of `docs/api.md`: routes with their roles, and problem codes. The rest is written by hand."""

import re
from pathlib import Path

from rest.application import openapi_document
from rest.openapi import ROLES
from rest.problems import PROBLEM_CODES


def api_page(page: Path) -> str:
    """The page with new tables between `<!-- NAME -->` and `<!-- /NAME -->`. Raises ValueError if a place is missing."""
    text = page.read_text(encoding="utf-8")
    for name, table in (("routes", _routes()), ("codes", _codes())):
        marked = re.compile(rf"(<!-- {name} -->\n).*(<!-- /{name} -->)", re.DOTALL)
        if not marked.search(text):
            raise ValueError(f"{page} has no place for the table `{name}`")
        text = marked.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text)  # type: ignore[misc]
    return text


def _routes() -> str:
    lines = [f"| route | operation | | {' | '.join(ROLES)} |", f"|---|---|---|{':-:|' * len(ROLES)}"]
    for path, methods in sorted(openapi_document()["paths"].items()):
        for method, operation in methods.items():
            allowed = " | ".join("✓" if role in operation["x-roles"] else "" for role in ROLES)
            route = f"`{method.upper()} {path.removeprefix('/api/v1')}` | `{operation['operationId']}`"
            lines.append(f"| {route} | {operation['summary']} | {allowed} |")
    return "\n".join(lines)


def _codes() -> str:
    lines = ["| status | code | |", "|---|---|---|"]
    lines += [f"| {found.status.value} | `{code}` | {found.meaning} |" for code, found in PROBLEM_CODES.items()]
    return "\n".join(lines)
