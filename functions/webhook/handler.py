"""An HTTP API or a function URL passes Meta's requests to this handler: both in payload format 2.0."""

import base64
from typing import Any

import pytake.wiring.webhook as wiring
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.receive_notification import BadSignatureError
from pytake.observability import logger, safe_handler
from pytake.whatsapp.inbound import NotJsonError, NotWhatsAppError
from pytake.whatsapp.unverified import BodyTooLargeError
from pytake.wiring import shared

JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain"}


@safe_handler
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Meta's verification (GET) and its notifications (POST)."""
    if event["requestContext"]["http"]["method"] == "GET":
        return _verify(event.get("queryStringParameters") or {})
    return _receive(event, context)


def _verify(query: dict[str, str]) -> dict[str, Any]:
    if query.get("hub.mode") != "subscribe":
        return {"statusCode": 400, "headers": TEXT, "body": "hub.mode must be subscribe"}
    if not wiring.receive_notification().verify_token(query.get("hub.verify_token", "")):
        return {"statusCode": 403, "headers": TEXT, "body": "No phone number has this verify token."}
    return {"statusCode": 200, "headers": TEXT, "body": query.get("hub.challenge", "")}


def _receive(event: dict[str, Any], context: Any) -> dict[str, Any]:
    log = logger()
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    signature = event["headers"].get("x-hub-signature-256")
    try:
        with shared.metrics():
            received = wiring.receive_notification()(raw, signature, context.aws_request_id)
    except BodyTooLargeError:
        log.warning("webhook.refused", reason="body_too_large")
        return _answer(413, "body_too_large")
    except NotJsonError:
        return _answer(400, "not_json")
    except NotWhatsAppError:
        return _answer(400, "not_whatsapp_business_account")
    except BadSignatureError:
        log.warning("webhook.refused", reason="bad_signature")
        return _answer(403, "bad_signature")
    except QueueingFailedError as error:
        log.error("webhook.queueing_failed", reason=str(error))
        return _answer(500, "queueing_failed")
    log.info(
        "webhook.received",
        api_request_id=event["requestContext"].get("requestId"),  # the id of this request in the access log
        messages=received.messages,
        statuses=received.statuses,
        suppressed=received.suppressed,
        unknown_numbers=received.unknown_numbers,
        problems=received.problems,
    )
    return _answer(200, "received")


def _answer(status_code: int, status: str) -> dict[str, Any]:
    return {"statusCode": status_code, "headers": JSON, "body": f'{{"status":"{status}"}}'}
