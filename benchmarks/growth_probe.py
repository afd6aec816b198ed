"""How the flow runner's own time and memory grow, in a process of its own, with AWS answering at once.

    python -S -P -m benchmarks.growth_probe BUILD CONVERSATIONS ORGANIZATIONS NODES SECONDS

Creates ORGANIZATIONS organizations, each with a number and a flow of NODES nodes, runs CONVERSATIONS conversations with each,
alternating, and prints one JSON line.
"""

import json
import os
import resource
import sys
from pathlib import Path
from time import perf_counter_ns, process_time_ns

from benchmarks.handler_probe import CONTEXT, handler_of, records
from benchmarks.instant_aws import InstantAws, Json

FLOW = "ring"


def ring(nodes: int) -> Json:
    """An endless flow of questions, each followed by a condition."""
    questions = max(1, nodes // 2)
    found: list[Json] = [{"id": "start", "type": "start", "data": {"next_node_id": "q0"}}]
    for number in range(questions):
        following = f"q{(number + 1) % questions}"
        variable = f"v{number % 5}"
        validation = {"type": "text", "min_length": 1}
        data = {"question": f"Question {number}, {{{{{variable}}}}}?", "variable": variable, "validation": validation}
        branches = {"true_next_node_id": following, "false_next_node_id": following}
        condition = {"variable": variable, "operator": "==", "value": "yes", **branches}
        found.append({"id": f"q{number}", "type": "question", "data": {**data, "next_node_id": f"c{number}"}})
        found.append({"id": f"c{number}", "type": "condition", "data": condition})
    return {"format": 1, "id": FLOW, "name": "Ring", "language": "en", "start_node_id": "start", "nodes": found}


def inbound(organization: int, contact: int, number: int) -> str:
    """A message of a person on the queue."""
    contact_id = f"55119{contact:08d}"
    text = {"type": "text", "text": {"body": "yes"}, "from": contact_id, "timestamp": "1795348800"}
    return json.dumps(
        {
            "organization_id": f"org{organization}",
            "phone_number_id": f"1{organization:08d}",
            "contact_id": contact_id,
            "message": {"id": f"wamid.{organization}.{contact}.{number}", **text},
            "received_at": 1795348800.0,
            "profile_name": "Ana",
        }
    )


def prepare(cloud: InstantAws, organizations: int, nodes: int) -> None:
    """Publish each organization's flow and connect its number."""
    from pytake.conversation.number_setup import NumberChange
    from pytake.conversation.records import Organization
    from pytake.wiring import api, shared

    cloud.connect()
    document = ring(nodes)
    for organization in range(organizations):
        authoring, name = api.flow_authoring(), f"org{organization}"
        # The few people of the probe write more in a second than people do in an hour.
        shared.tenants().put_organization(Organization(name, contact_messages_per_minute=10**9))
        authoring.save_draft(name, FLOW, document)
        authoring.publish(name, FLOW, "probe")
        change = NumberChange(
            display_phone_number="+55 11 4000-0001",
            default_flow_id=FLOW,
            verify_token=f"verify-{organization}",
            app_secret="secret",  # noqa: S106
            access_token="token",  # noqa: S106
        )
        api.number_setup().put(name, f"1{organization:08d}", change)


def main(build: Path, conversations: int, organizations: int, nodes: int, seconds: float) -> Json:
    """Take the first turn of every conversation, then further turns for this many seconds."""
    cloud = InstantAws()
    prepare(cloud, organizations, nodes)
    runner = handler_of(build, "flow_runner")
    queue = os.environ["OUTBOUND_QUEUE_URL"]
    before_mb = _resident_mb()

    def turn(organization: int, contact: int, number: int) -> int:
        event = records("flow_runner", [inbound(organization, contact, number)])
        spent, begun = cloud.spent_cpu_ns, process_time_ns()
        answer = runner(event, CONTEXT)
        took = process_time_ns() - begun - (cloud.spent_cpu_ns - spent)
        assert answer == {"batchItemFailures": []}, answer
        assert len(cloud.queues.pop(queue)) == 1
        return took

    firsts = [turn(organization, 0, 0) for organization in range(organizations)]
    for contact in range(1, conversations):
        for organization in range(organizations):
            turn(organization, contact, 0)
    asked, cpu = len(cloud.requests), []
    number, stop = 1, perf_counter_ns() + seconds * 1e9
    while perf_counter_ns() < stop:
        for contact in range(conversations):
            for organization in range(organizations):
                cpu.append(turn(organization, contact, number))
            if perf_counter_ns() >= stop:
                break
        number += 1
    cpu.sort()
    return {
        "turns": len(cpu),
        "first_turn_ms": sorted(firsts)[len(firsts) // 2] / 1e6,
        "cpu_p50_ms": cpu[len(cpu) // 2] / 1e6,
        "cpu_p99_ms": cpu[len(cpu) * 99 // 100] / 1e6,
        "requests": (len(cloud.requests) - asked) / len(cpu),
        "added_mb": _resident_mb() - before_mb,
        "stored_items": len(cloud.items),
    }


def _resident_mb() -> float:
    """The peak memory, including what the stub stores."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # logs are written, and go nowhere
    conversations, organizations, nodes = map(int, sys.argv[2:5])
    found = main(Path(sys.argv[1]), conversations, organizations, nodes, float(sys.argv[5]))
    answers.write(json.dumps(found) + "\n")
    answers.flush()
