"""The interactive documentation: one page with everything it needs, so that it works without access to other hosts."""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def page(title: str, document: str) -> str:
    """Swagger UI for an OpenAPI document. Its script and styles come with Powertools."""
    from aws_lambda_powertools.event_handler.openapi import swagger_ui  # no other request needs it

    assets = Path(swagger_ui.__file__).parent
    html = swagger_ui.generate_swagger_html(
        spec=document.replace("</", "<\\/"),  # no string of the document may end the script
        swagger_js=(assets / "swagger-ui-bundle.min.js").read_text(encoding="utf-8"),
        swagger_css=(assets / "swagger-ui.min.css").read_text(encoding="utf-8"),
        swagger_base_url="",
        oauth2_config=None,
    )
    html = html.replace("<title>Swagger UI</title>", f"<title>{title}: REST API</title>", 1)
    return html.replace('currentUrl.pathname + "?format=json"', '"/api/v1/openapi.json"', 1)


def to_json(document: dict[str, Any]) -> str:
    """An OpenAPI document as JSON."""
    return json.dumps(document, ensure_ascii=False)
