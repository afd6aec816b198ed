"""Lists and searches the contacts of one large organization, in a process of its own; prints the times as one JSON line.

The product's use case and adapters talk to a table inside the process. Its contacts are made when they are read, so a million
of them takes no time to load. `python -m benchmarks.contacts_probe CONTACTS PAGES`.
"""

import json
import random
import re
import sys
from bisect import bisect_right
from time import process_time_ns
from typing import Any

from benchmarks.instant_aws import InstantAws
from cli.costing.tables import assumptions
from pytake.aws.aliases import DynamoAliases
from pytake.aws.contacts import DynamoContacts
from pytake.aws.conversations import DynamoConversations
from pytake.aws.table import CONTACT_SHARDS, PROFILE, Table, contact_pk
from pytake.aws.tenants import DynamoTenants
from pytake.contacts.manage import ContactFilters, ManageContacts
from pytake.contacts.ports import ListPlace
from pytake.conversation.ports.messaging import OperatorEvent
from pytake.conversation.retention_policy import RetentionPolicy

Json = dict[str, Any]

ORGANIZATION = "acme"
LIMIT = 50
FIRST_AT = 1_790_000_000.0
NAMES = ("Ana", "Bia", "Caio", "Davi", "Enzo", "Flor", "Gil", "Hugo", "Ivo", "Joana")


class ManyContacts(InstantAws):
    """The contact of number N was created N seconds after the first one, and is in the shard N modulo the shards."""

    def fill(self, contacts: int) -> None:
        """Have this many contacts."""
        self.contacts = contacts

    def _query(self, asked: Json) -> Json:
        if asked.get("IndexName") != "recent":
            return super()._query(asked)
        values = asked["ExpressionAttributeValues"]
        names = re.findall(r":\w+", asked["KeyConditionExpression"])
        pk = values[names[0]]["S"]
        shard = int(pk.rpartition("#")[2])
        numbers = range(shard, self.contacts, CONTACT_SHARDS)
        most = float(values[names[1]]["N"]) - FIRST_AT if len(names) > 1 else self.contacts
        last = asked.get("ExclusiveStartKey")
        if last is not None:
            most = min(most, float(last["recent_at"]["N"]) - FIRST_AT - 1)
        end = bisect_right(numbers, most)
        found = [self._entry(pk, number) for number in reversed(numbers[max(0, end - asked["Limit"]) : end])]
        self.read_units += len(found) * 0.05
        answer: Json = {"Items": found, "Count": len(found), "ScannedCount": len(found)}
        return {**answer, "LastEvaluatedKey": found[-1]} if found and end > asked["Limit"] else answer

    def _entry(self, recent_pk: str, number: int) -> Json:
        at = str(FIRST_AT + number)
        return {**_key(number), "recent_pk": {"S": recent_pk}, "recent_at": {"N": at}}

    def _get_batch(self, asked: Json) -> Json:
        for wanted in asked["RequestItems"].values():
            for key in wanted["Keys"]:
                if key["sk"]["S"] == PROFILE and (number := _number(key["pk"]["S"])) is not None:
                    self.items[f"{key['pk']['S']}\n{PROFILE}"] = {**key, **_profile(number)}
        answer = super()._get_batch(asked)
        self.items.clear()
        return answer


class Silence:
    """Reading pages publishes no events."""

    def publish(self, event: OperatorEvent) -> None:
        """Do nothing."""


def _key(number: int) -> Json:
    return {"pk": {"S": contact_pk(ORGANIZATION, f"55119{number:08d}")}, "sk": {"S": PROFILE}}


def _number(pk: str) -> int | None:
    found = re.search(r"#55119(\d{8})$", pk)
    return int(found[1]) if found else None


def _profile(number: int) -> Json:
    contact = {
        "contact_id": f"55119{number:08d}",
        "phone": f"+55119{number:08d}",
        "name": f"{NAMES[number % len(NAMES)]} {number}",
        "language": "pt_BR",
        "tags": ["customer", *(["vip"] if number % 50_000 == 0 else [])],
        "fields": {"city": "Recife", "plan": "gold", "visits": number % 40},
        "consent": {"marketing": {"state": "granted", "source": "form", "at": FIRST_AT}},
        "numbers": ["100000000000001"],
        "created_at": FIRST_AT + number,
    }
    return {"body": {"S": json.dumps(contact)}, "revision": {"N": "1"}}


def main() -> None:
    """Measure and print."""
    contacts, pages = int(sys.argv[1]), int(sys.argv[2])
    aws = ManyContacts()
    aws.fill(contacts)
    aws.connect()
    table = Table("table", "us-east-1")
    stored, clock = DynamoContacts(table), (lambda: FIRST_AT)
    conversations = DynamoConversations(table, RetentionPolicy(DynamoTenants(table, clock), 90), clock)
    manage = ManageContacts(stored, DynamoAliases(table, clock), conversations, Silence(), clock)
    chance, waits = random.Random(7), assumptions().wait_ms

    def places() -> list[ListPlace | None]:
        deep = [ListPlace(FIRST_AT + chance.randrange(LIMIT, contacts), "") for _ in range(pages - 1)]
        return [None, *deep]

    def measured(filters: ContactFilters | None, after: list[ListPlace | None]) -> Json:
        times, owns, requests, found = [], [], 0, 0
        for place in [after[0], *after]:  # the first one makes the clients
            aws.requests.clear()
            spent, begun = aws.spent_cpu_ns, process_time_ns()
            page = manage.page(ORGANIZATION, LIMIT, place, filters)
            own = (process_time_ns() - begun - (aws.spent_cpu_ns - spent)) / 1e6
            owns.append(own)
            times.append(own + sum(waits.get(name, waits["dynamodb.Query"]) for name in aws.requests))
            requests, found = max(requests, len(aws.requests)), max(found, len(page.contacts))
        times = sorted(times[1:])
        return {
            "p50_ms": times[len(times) // 2],
            "p95_ms": times[int(len(times) * 0.95)],
            "own_ms": sorted(owns)[len(owns) // 2],
            "requests": requests,
            "found": found,
        }

    someone = f"55119{contacts // 2:08d}"
    print(
        json.dumps(
            {
                "list": measured(None, places()),
                "number": measured(ContactFilters(text=someone), [None] * pages),
                "name": measured(ContactFilters(text="joana"), places()),
                "tag": measured(ContactFilters(tag="vip"), places()),
            }
        )
    )


if __name__ == "__main__":
    main()
