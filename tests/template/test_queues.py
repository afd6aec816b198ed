"""No message is lost silently: dead-letter queues, alarms, time to work, encryption."""

from typing import Any

import pytest

from tests.template.conftest import Stack, target

WORK = ("InboundQueue", "OutboundQueue", "ReceiptsQueue")
DEAD_LETTERS = ("InboundDeadLetters", "OutboundDeadLetters", "ReceiptsDeadLetters", "ScheduleDeadLetters")


def test_a_queue_is_either_work_or_dead_letters(stack: Stack) -> None:
    assert set(stack.of_type("AWS::SQS::Queue")) == {*WORK, *DEAD_LETTERS}


@pytest.mark.parametrize("name", WORK)
def test_work_that_fails_again_and_again_goes_to_a_dead_letter_queue_of_its_kind(stack: Stack, name: str) -> None:
    queues = stack.properties("AWS::SQS::Queue")
    redrive = queues[name]["RedrivePolicy"]
    dead_letters = queues[target(redrive["deadLetterTargetArn"])]
    assert int(redrive["maxReceiveCount"]) >= 5
    assert dead_letters.get("FifoQueue") == queues[name].get("FifoQueue")
    assert dead_letters["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert "RedrivePolicy" not in dead_letters


def test_waiting_does_not_use_up_the_tries(stack: Stack) -> None:
    assert int(stack.properties("AWS::SQS::Queue")["OutboundQueue"]["RedrivePolicy"]["maxReceiveCount"]) == 1000


def test_messages_of_one_conversation_keep_their_order(stack: Stack) -> None:
    queues = stack.properties("AWS::SQS::Queue")
    assert {name for name, queue in queues.items() if queue.get("FifoQueue")} == {
        "InboundQueue",
        "InboundDeadLetters",
        "OutboundQueue",
        "OutboundDeadLetters",
    }
    for name, queue in queues.items():
        if queue.get("FifoQueue"):
            assert queue["QueueName"]["Fn::Sub"].endswith(".fifo"), name
            assert (queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")


def test_a_worker_has_six_times_its_time_before_a_message_comes_back(stack: Stack) -> None:
    functions = stack.properties("AWS::Lambda::Function")
    queues = stack.properties("AWS::SQS::Queue")
    mappings = stack.properties("AWS::Lambda::EventSourceMapping")
    assert {target(mapping["EventSourceArn"]) for mapping in mappings.values()} == set(WORK)
    for mapping in mappings.values():
        queue = queues[target(mapping["EventSourceArn"])]
        function = functions[target(mapping["FunctionName"])]
        window = mapping.get("MaximumBatchingWindowInSeconds", 0)
        assert stack.default(queue["VisibilityTimeout"]) >= 6 * stack.default(function["Timeout"]) + window


def test_one_failed_message_does_not_repeat_its_batch_and_consumers_are_limited(stack: Stack) -> None:
    for mapping in stack.properties("AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert stack.default(mapping["ScalingConfig"]["MaximumConcurrency"]) >= 2
    for function in stack.properties("AWS::Lambda::Function").values():
        assert "ReservedConcurrentExecutions" not in function


@pytest.mark.parametrize("name", [*WORK, *DEAD_LETTERS])
def test_queues_are_encrypted_and_want_tls(stack: Stack, name: str) -> None:
    assert stack.properties("AWS::SQS::Queue")[name]["SqsManagedSseEnabled"] is True
    policies = stack.properties("AWS::SQS::QueuePolicy").values()
    [policy] = [policy for policy in policies if [target(queue) for queue in policy["Queues"]] == [name]]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert target(statement["Resource"]) == name
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def alarms(stack: Stack, metric: str) -> dict[str, dict[str, Any]]:
    """Return the alarms on a metric by the queue they watch."""
    return {
        target(alarm["Dimensions"][0]["Value"]): alarm
        for alarm in stack.properties("AWS::CloudWatch::Alarm").values()
        if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", metric)
    }


def test_an_alarm_rings_at_the_first_dead_letter(stack: Stack) -> None:
    # NumberOfMessagesSent would miss what SQS itself moves.
    found = alarms(stack, "ApproximateNumberOfMessagesVisible")
    assert set(found) == set(DEAD_LETTERS)
    for alarm in found.values():
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
        assert (alarm["Statistic"], alarm["TreatMissingData"]) == ("Maximum", "notBreaching")


def test_an_alarm_rings_when_work_waits_too_long(stack: Stack) -> None:
    assert set(alarms(stack, "ApproximateAgeOfOldestMessage")) == set(WORK)


def test_an_alarm_rings_when_a_number_stops_and_when_a_message_may_have_been_doubled(stack: Stack) -> None:
    found = {
        dimension["Value"]
        for alarm in stack.properties("AWS::CloudWatch::Alarm").values()
        if (alarm["Namespace"], alarm["MetricName"]) == ("PyTake", "OperatorEvents")
        for dimension in alarm["Dimensions"]
        if dimension["Name"] == "type"
    }
    assert found == {"number.stopped", "delivery.resent_after_deadline"}


def test_every_alarm_says_what_it_means_and_tells_whoever_wants_to_know(stack: Stack) -> None:
    for alarm in stack.properties("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmDescription"].endswith(".")
        assert alarm["AlarmActions"]["Fn::If"][0] == alarm["OKActions"]["Fn::If"][0] == "HasTopic"
