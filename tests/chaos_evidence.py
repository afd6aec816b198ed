"""What the embedded AWS of a local cloud still has to do, and what it holds of one answer: a wrong one explains itself."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from msgspec import Struct

from cli.stack import stack_options
from local import demo
from local.dead_letters import stack_outputs
from pytake.aws.table import conversation_pk, held_pk, turn_of_sk
from pytake.conversation.records import ConversationKey

LONGEST_TEXT = 700
"""How much of an item is printed."""


_CORRELATION = re.compile(r'"correlation_id":"([^"]+)"')


class Queued(Struct, frozen=True):
    """A message of a queue, also one that a worker has or that is hidden."""

    queue: str
    body: str
    visible_at: int
    receive_count: int

    def __str__(self) -> str:
        return f"{self.queue}, visible at {self.visible_at}, received {self.receive_count} times: {self.body[:LONGEST_TEXT]}"


class EmbeddedAws:
    """The queues and the table behind the local cloud at `url`. Looking changes nothing."""

    def __init__(self, url: str) -> None:
        stack, options = stack_options(url, None, None)
        self._cloud = httpx.Client(base_url=url, timeout=35, trust_env=False)
        self._options = options
        self._table = stack_outputs(stack, options)["TableName"]
        self._dynamodb: Any = boto3.client("dynamodb", **options)

    def open_work(self) -> list[str]:
        """What may still change a phone: messages of queues and of dead-letter queues, held turns, and posts to the webhook."""
        held = self._query(held_pk(demo.ORGANIZATION_ID, demo.PHONE_NUMBER_ID))
        posts = self._cloud.get("/_sim/webhooks").raise_for_status().json().get("waiting", 0)
        return [
            *(one.queue for one in self.queued()),
            *("held turns" for _ in held),
            *("posts to the webhook" for _ in range(posts)),
        ]

    def queued(self) -> list[Queued]:
        """The messages of all queues."""
        options = self._options
        request = AWSRequest("GET", f"{options['endpoint_url']}/_ministack/sqs/messages")
        credentials = Credentials(options["aws_access_key_id"], options["aws_secret_access_key"])
        SigV4Auth(credentials, "sqs", options["region_name"]).add_auth(request)
        answer = httpx.get(request.url, headers=dict(request.headers.items()), timeout=35, trust_env=False)
        return [
            Queued(url.rpartition("/")[2], one["Body"], one["VisibleAt"], one["ReceiveCount"])
            for url, messages in _queues_of(answer.raise_for_status().json())
            for one in messages
        ]

    def holds_of(self, phone: str, message_id: str) -> list[str]:
        """What the conversation, the ledger and the queues hold of the answer to a message."""
        key = ConversationKey(demo.ORGANIZATION_ID, demo.PHONE_NUMBER_ID, phone)
        items = {item["sk"]["S"]: item for item in self._query(conversation_pk(key))}
        written = f'"{message_id}"'
        turns = [turn_of_sk(sk) for sk, item in items.items() if sk.startswith("TURN#") and written in _text(item)]
        of_turns = [sk for sk in items if sk.startswith(("TURN#", "OUT#")) and int(sk.split("#")[1]) in turns]
        held = [item for item in self._query(held_pk(key.organization_id, key.phone_number_id)) if phone in _text(item)]
        return [
            f"the message's turns: {turns or 'none'}; items of the conversation: {len(items)}",
            *(f"{sk}: {_text(items[sk])[:LONGEST_TEXT]}" for sk in of_turns),
            *(f"held turn: {_text(item)[:LONGEST_TEXT]}" for item in held),
            *(str(one) for one in self.queued() if phone in one.body),
        ]

    def correlation_of(self, phone: str, message_id: str) -> str:
        """The correlation id of the turn of a message, which is in its log lines; empty without a turn."""
        key = ConversationKey(demo.ORGANIZATION_ID, demo.PHONE_NUMBER_ID, phone)
        texts = [_text(item) for item in self._query(conversation_pk(key)) if item["sk"]["S"].startswith("TURN#")]
        found = [_CORRELATION.search(text) for text in texts if f'"{message_id}"' in text]
        return next((match[1] for match in found if match), "")

    def _query(self, pk: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )
        for page in pages:
            found += page["Items"]
        return found


def _text(item: dict[str, Any]) -> str:
    return " ".join(f"{name}={next(iter(value.values()))}" for name, value in sorted(item.items()) if name != "pk")


def _queues_of(document: Any) -> Iterator[tuple[str, Sequence[dict[str, Any]]]]:
    """The queues in MiniStack's answer, which nests them by account and region."""
    for name, value in document.items() if isinstance(document, dict) else ():
        if isinstance(value, list):
            yield name, value
        else:
            yield from _queues_of(value)
