"""A valid body for each route of the REST API that takes one."""

from typing import Any

from tests.functions.samples import FLOW, NUMBER
from tests.functions.world import ANA, FIRST

MARK = "acmes-own"
"""Everything of acme's contains it; the other organization must never see it."""

SEQUENCE: dict[str, Any] = {
    "name": f"{MARK} sequence",
    "phone_number_id": FIRST,
    "on": {"field": "appointment"},
    "steps": [{"days": -2, "flow_id": "hello"}],
}

BODIES: dict[str, Any] = {
    "PUT /api/v1/flows/{flow_id}": FLOW,
    "POST /api/v1/flows/validate": {"document": FLOW},
    "POST /api/v1/flows/rehearse": {"flow_id": "hello"},
    "POST /api/v1/flows/test-request": {"data": {"url": "https://127.0.0.1/"}},
    "PUT /api/v1/flows/{flow_id}/tests": {"conversations": []},
    "POST /api/v1/flows/{flow_id}/tests/run": {},
    "POST /api/v1/flows/{flow_id}/replay": {},
    "POST /api/v1/queries/{query_name}": {
        "from": "2026-11-01",
        "to": "2026-11-30",
        "parameters": {"flow_id": "hello"},
    },
    "PUT /api/v1/flows/{flow_id}/metadata": {"folder": "Theirs"},
    "POST /api/v1/flows/{flow_id}/duplicate": {"flow_id": "theirs"},
    "POST /api/v1/flows/{flow_id}/rollback": {"version": 1},
    "POST /api/v1/flows/import": {"nodes": [{"id": "1", "type": "start"}], "edges": []},
    "PUT /api/v1/numbers/{phone_number_id}": NUMBER | {"verify_token": "theirs-verify-token"},
    "PUT /api/v1/organization": {"messages_per_minute": 7},
    "PUT /api/v1/timetables": {
        "timetables": {"theirs": {"hours": [{"days": ["mon"], "opens": "09:00", "closes": "18:00"}]}}
    },
    "PUT /api/v1/teams": {"teams": {"theirs": {"name": "Theirs"}}},
    "PUT /api/v1/sequences/{sequence_id}": SEQUENCE,
    "PUT /api/v1/canned-replies": {"replies": {"theirs": {"title": "Theirs", "text": "Hi"}}},
    "PUT /api/v1/secrets/{name}": {"value": "their-value", "hosts": ["x.io"]},
    "PUT /api/v1/contacts/{phone}": {"name": "Theirs"},
    "PUT /api/v1/contacts/{phone}/consent": {"marketing": {"state": "granted", "source": "theirs"}},
    "POST /api/v1/contacts/import": "phone\n5511999990009\n",
    "POST /api/v1/contacts/imports": {"country": "BR"},
    "PUT /api/v1/segments/{segment_id}": {
        "name": "Theirs",
        "all": [{"field": "tags", "operator": "contains", "value": "theirs"}],
    },
    "POST /api/v1/templates": {
        "phone_number_id": FIRST,
        "name": "theirs",
        "language": "en",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Hi"}],
    },
    "POST /api/v1/templates/sync": {"phone_number_id": FIRST},
    "POST /api/v1/conversations/{phone}/events": {"name": "paid", "data": {"amount": 1}},
    "PUT /api/v1/conversations/{phone}/assignment": {"assignee": "theirs", "tags": ["theirs"]},
    "POST /api/v1/conversations/{phone}/close": {"reason": "solved"},
    "POST /api/v1/conversations/{phone}/notes": {"text": "Their note"},
    "POST /api/v1/conversations/{phone}/send": {"text": "Hello from them"},
    "POST /api/v1/conversations/{phone}/start": {"phone_number_id": FIRST, "flow_id": "hello"},
    "PUT /api/v1/campaigns/{campaign_id}": {
        "name": "Theirs",
        "phone_number_id": FIRST,
        "segment_id": "theirs",
        "template": {"name": "theirs", "language": "en"},
    },
    "POST /api/v1/campaigns/{campaign_id}/test": {"people": [ANA]},
    "POST /api/v1/media": {"mime_type": "application/pdf", "content": "JVBERi0xLjc=", "filename": "theirs.pdf"},
    "POST /api/v1/media/uploads": {"mime_type": "video/mp4", "size": 1000, "filename": "theirs.mp4"},
}
"""A valid body for each route that takes one."""
