"""Contacts at scale: an import of 100,000 rows, and reading and judging the contacts of a large organization.

`python -m benchmarks.import_benchmark [rows]` prints the figures. The product's own adapters run against the table in memory of
`instant_aws`, which waits as long as DynamoDB does for each request. So requests that are in flight together wait together.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any

from benchmarks.instant_aws import InstantAws
from benchmarks.report import table

SERVICE_SECONDS = {
    "dynamodb.BatchGetItem": 0.010,
    "dynamodb.TransactWriteItems": 0.025,
    "dynamodb.GetItem": 0.004,
    "dynamodb.Query": 0.006,
    "dynamodb.UpdateItem": 0.005,
}
"""What a request takes from a function in the same region: p90 of published measurements, for the sizes that occur here."""

JUDGED = 100_000
"""Contacts that are judged; a count of a million judges ten times as many."""


class SlowAws(InstantAws):
    """A table in memory that answers as late as DynamoDB. `memory_seconds` is the CPU time of the table itself."""

    memory_seconds = 0.0

    def connect(self) -> None:
        """Replace the connections of botocore by one that waits outside of its lock."""
        super().connect()
        import botocore.httpsession

        instantly: Callable[[Any, Any], Any] = botocore.httpsession.URLLib3Session.send
        lock = Lock()

        def send(session: Any, request: Any) -> Any:
            with lock:
                began = time.thread_time()
                answer = instantly(session, request)
                self.memory_seconds += time.thread_time() - began
                name = self.requests[-1]
            time.sleep(SERVICE_SECONDS.get(name, 0.005))
            return answer

        botocore.httpsession.URLLib3Session.send = send  # type: ignore[method-assign, assignment]


def file_of(rows: int) -> bytes:
    """A file as companies have it: a phone number, a name, tags, consent and two fields."""
    lines = ["phone;name;tags;consent_marketing;consent_source;city;plan"]
    lines += [f"+55119{index:08d};Person {index};vip;granted;form;Recife;gold" for index in range(rows)]
    return "\r\n".join(lines).encode()


def measure_import(rows: int) -> list[list[str]]:
    """The figures of an import of new contacts."""
    from pytake.aws.contact_batches import DynamoContactBatches
    from pytake.aws.table import Table
    from pytake.contacts.imports import Import
    from pytake.contacts.run_imports import RunImports
    from tests.fakes import MemoryConversations, MemoryImportFiles, MemoryImports

    aws = SlowAws()
    aws.connect()
    imports, files = MemoryImports(), MemoryImportFiles()
    files.put("acme", "i1", file_of(rows))
    imports.put(Import(id="i1", organization_id="acme", created_at=1_770_000_000.0))
    batches = DynamoContactBatches(Table("bench", "us-east-1"))
    run = RunImports(imports, files, batches, MemoryConversations(), time.time, lambda: "bench")
    began, cpu = time.perf_counter(), time.process_time()
    run(lambda: False)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    done = imports.get("acme", "i1")
    if done is None or done.created != rows:
        raise RuntimeError(f"{done} is not the import of {rows} rows")
    requests = Counter(aws.requests)
    return [
        ["rows", f"{rows:,}"],
        ["seconds", f"{seconds:.1f}"],
        ["CPU seconds, with the table in memory", f"{cpu_seconds:.1f}"],
        ["of these, the table in memory", f"{aws.memory_seconds:.1f}"],
        *([f"requests: {name}", f"{count:,}"] for name, count in sorted(requests.items())),
        ["write units per row", f"{aws.write_units / rows:.2f}"],
        ["read units per row", f"{aws.read_units / rows:.2f}"],
    ]


def measure_segment() -> list[list[str]]:
    """The figures of reading and judging contacts."""
    from msgspec.structs import replace

    from pytake.aws.contacts import DynamoContacts, contact_item
    from pytake.aws.table import Table
    from pytake.contacts.records import new_contact
    from pytake.contacts.segments import Condition, Person, Segment, compile_segment

    conditions = [
        Condition("tags", "contains", "vip"),
        Condition("fields.city", "==", "Recife"),
        Condition("consent.marketing", "==", "granted"),
        Condition("country", "==", "BR"),
    ]
    belongs = compile_segment(Segment(id="s", name="S", all=conditions), 0, {}, None)
    people = [
        Person(replace(new_contact(f"55119{index:08d}", 1.0), tags=["vip"], fields={"city": "Recife"}))
        for index in range(JUDGED)
    ]
    began = time.process_time()
    for person in people:
        belongs(person)
    judged = time.process_time() - began
    aws = InstantAws()
    aws.connect()
    stored = Table("bench", "us-east-1")
    for person in people[:1000]:
        contact_item(stored, "acme", person.contact)[0].save()
    contacts, ids = DynamoContacts(stored), [person.contact.contact_id for person in people[:1000]]
    began, spent = time.process_time(), aws.spent_cpu_ns
    for start in range(0, 1000, 100):
        contacts.load_all("acme", ids[start : start + 100])
    read = time.process_time() - began - (aws.spent_cpu_ns - spent) / 1e9
    return [
        ["judging 1,000,000 contacts by four conditions, CPU seconds", f"{judged * 1e6 / JUDGED:.1f}"],
        ["reading 1,000,000 contacts, CPU seconds", f"{read * 1000:.1f}"],
    ]


def main() -> None:
    """Print the figures."""
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")  # noqa: S106
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(table(["segment", "measured"], measure_segment()))
    print(table(["import", "measured"], measure_import(rows)))


if __name__ == "__main__":
    main()
