"""The pages of `docs/` that are generated from the code. `python -m cli.reference` writes them; a test detects stale pages."""

from pathlib import Path

from cli.reference.api_page import api_page
from cli.reference.event_schema import event_schema
from cli.reference.flow_reference import flow_reference
from cli.reference.prover_page import prover_page
from local.flow_schema import schema_text

REPOSITORY = Path(__file__).parents[2]


def pages() -> dict[Path, str]:
    """The content of every generated page, by path."""
    docs = REPOSITORY / "docs"
    return {
        docs / "flow-reference.md": flow_reference(),
        docs / "prover.md": prover_page(REPOSITORY / "tests" / "engine" / "prover"),
        docs / "flow.schema.json": schema_text(),
        docs / "api.md": api_page(docs / "api.md"),
        docs / "events.schema.json": event_schema(),
    }
