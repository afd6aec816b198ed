"""The texts that are generated: pages of `docs/`, and the saved queries in `template.yaml`.

`python -m cli.reference` writes them; a test detects stale ones.
"""

import json
from pathlib import Path

from cli.reference.api_page import api_page
from cli.reference.event_schema import event_schema
from cli.reference.example_pages import example_pages
from cli.reference.flow_reference import flow_reference
from cli.reference.prover_page import prover_page
from cli.reference.saved_queries import with_saved_queries
from local.flow_schema import schema_text
from local.json_layout import lay_out
from rest.application import openapi_document

REPOSITORY = Path(__file__).parents[2]


def pages() -> dict[Path, str]:
    """The content of every file with generated text, by path."""
    docs, template = REPOSITORY / "docs", REPOSITORY / "template.yaml"
    return {
        docs / "flow-reference.md": flow_reference(),
        docs / "prover.md": prover_page(REPOSITORY / "tests" / "engine" / "prover"),
        docs / "flow.schema.json": schema_text(),
        docs / "api.md": api_page(docs / "api.md"),
        docs / "openapi.json": lay_out(json.loads(json.dumps(openapi_document(), sort_keys=True))) + "\n",
        docs / "events.schema.json": event_schema(),
        **example_pages(docs, REPOSITORY / "examples" / "flows"),
        template: with_saved_queries(template.read_text(encoding="utf-8")),
    }
