"""A flow, a number and a signed webhook, for the tests of the handlers."""

import json
from typing import Any

from pytake.whatsapp import signature

FLOW: dict[str, Any] = {
    "format": 1,
    "id": "hello",
    "name": "Hello",
    "language": "en",
    "start_node_id": "start",
    "nodes": [
        {"id": "start", "type": "start", "data": {"greeting": "Hi!", "next_node_id": "end"}},
        {"id": "end", "type": "end", "data": {}},
    ],
}

NUMBER: dict[str, Any] = {
    "display_phone_number": "+55 11 4000-0001",
    "verify_token": "demo-verify-token",
    "app_secret": "demo-app-secret",
    "access_token": "demo-access-token",
    "default_flow_id": "hello",
    "keywords": {"help": "hello"},
}

NUMBER_PATH = "/api/v1/numbers/100000000000001"


QUESTION: dict[str, Any] = FLOW | {
    "nodes": [
        {"id": "start", "type": "start", "data": {"greeting": "Hi!", "next_node_id": "name"}},
        {
            "id": "name",
            "type": "question",
            "data": {"question": "Your name?", "variable": "name", "next_node_id": "city"},
        },
        {
            "id": "city",
            "type": "question",
            "data": {"question": "Your city?", "variable": "city", "next_node_id": "end"},
        },
        {"id": "end", "type": "end", "data": {"message": "Thank you."}},
    ]
}


CALLING: dict[str, Any] = FLOW | {
    "nodes": [
        {"id": "start", "type": "start", "data": {"greeting": "Hi!", "next_node_id": "call"}},
        {
            "id": "call",
            "type": "api_call",
            "data": {
                "method": "GET",
                "url": "https://api.example.com/orders",
                "headers": {"Authorization": "Bearer {{secrets.ORDERS}}"},
                "output_variable": "order",
                "next_node_id": "pick",
                "error_next_node_id": "sorry",
            },
        },
        {
            "id": "pick",
            "type": "question",
            "data": {
                "question": "Order {{order.id}}?",
                "variable": "choice",
                "buttons": [{"label": "Yes", "value": "yes"}, {"label": "No", "value": "no"}],
                "timeout_seconds": 60,
                "timeout_next_node_id": "sorry",
                "next_node_id": "agent",
            },
        },
        {"id": "sorry", "type": "end", "data": {"message": "Sorry."}},
        {"id": "agent", "type": "handoff", "data": {"message": "A person comes.", "department": "sales"}},
    ]
}


def inbound(text: str, number: int, phone: str = "5511999999999") -> dict[str, Any]:
    message = {"from": phone, "id": f"wamid.{number}", "timestamp": "1770000000", "type": "text"}
    body = {
        "organization_id": "acme",
        "phone_number_id": "100000000000001",
        "contact_id": phone,
        "message": {**message, "text": {"body": text}},
        "received_at": 1_770_000_000.0,
        "profile_name": "Ana",
        "correlation_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    }
    return inbound_event(body, f"m{number}")


def inbound_event(body: dict[str, Any], message_id: str = "m") -> dict[str, Any]:
    """The event of one message on the inbound queue."""
    record = {
        "messageId": message_id,
        "receiptHandle": "r",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:inbound.fifo",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


# As Meta sends it: escaped, whatever the text. The signature covers these bytes.
BODY = (
    '{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{'
    '"messaging_product":"whatsapp","metadata":{"phone_number_id":"100000000000001","display_phone_number":"551140000001"},'
    '"contacts":[{"wa_id":"5511999999999","profile":{"name":"Ana"}}],"messages":[{"from":"5511999999999","id":"wamid.1",'
    '"timestamp":"1770000000","type":"text","text":{"body":"Ol\\u00e1 https:\\/\\/x"}}]}}]}]}'
)


SIGNED = signature.sign("demo-app-secret", BODY.encode())
