"""The simulated campaign keeps to its rate and reaches each person once, and wastes nothing of AWS."""

import subprocess
import sys

import msgspec
import pytest

from benchmarks.campaign_simulation import simulate

PEOPLE = 40
COUNT = f"""
import msgspec
from benchmarks.campaign_cost import through_aws
print(msgspec.json.encode(through_aws({PEOPLE}, known=True)).decode())
"""


def test_a_simulated_campaign_leaves_at_the_allowed_rate_and_reaches_each_person_once() -> None:
    done = simulate(3000)

    assert (done.released, done.twice) == (3000, 0)
    assert done.per_second == pytest.approx(done.allowed, rel=0.01)
    assert done.megabytes < 64, "memory does not grow with the audience"


def test_a_campaign_asks_aws_for_no_more_than_it_needs() -> None:
    # In a process of its own: the AWS inside it replaces botocore's connections.
    ended = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, check=True)
    found = msgspec.json.decode(ended.stdout)
    release, early, send, recounts = (found[name] for name in ("release", "early", "send", "recounts"))
    asked = release["requests"]
    assert asked["sqs.SendMessageBatch"] == 0.1, "ten turns in a request of the queue"
    assert asked["dynamodb.GetItem"] * PEOPLE < PEOPLE, "no request that grows with the people"
    # State and record in a transaction, and the record's entry in the log; the rest are the campaign and its part.
    assert release["write_units"] < 6
    assert early["requests"] == {}, "before its slot nothing is read"
    assert (send["write_units"], send["read_units"]) == (2, 3)
    assert (send["requests"]["dynamodb.BatchGetItem"], send["requests"].get("dynamodb.GetItem", 0)) == (1, 0)
    assert recounts["read_units"] < 8
    assert recounts["requests"]["dynamodb.GetItem"] < 1, "what is read of a part is read together"
