"""No message is lost silently: dead-letter queues, time to work, encryption. The alarms: test_alarms.py."""

from typing import Any

from functions.flow_runner.handler import MAX_RECEIVES
from tests.stack import Stack, target


def dead_letters(stack: Stack) -> set[str]:
    """The queues that something sets aside to."""
    given = [queue["RedrivePolicy"]["deadLetterTargetArn"] for queue in _redriven(stack).values()]
    for function in stack.properties("AWS::Lambda::Function").values():
        if "DeadLetterConfig" in function:
            given.append(function["DeadLetterConfig"]["TargetArn"])
    given += [one["Target"]["DeadLetterConfig"]["Arn"] for one in stack.properties("AWS::Scheduler::Schedule").values()]
    return {target(arn) for arn in given}


def work(stack: Stack) -> set[str]:
    """The other queues."""
    return set(stack.of_type("AWS::SQS::Queue")) - dead_letters(stack)


def _redriven(stack: Stack) -> dict[str, dict[str, Any]]:
    return {name: queue for name, queue in stack.properties("AWS::SQS::Queue").items() if "RedrivePolicy" in queue}


def test_work_that_fails_again_and_again_goes_to_a_dead_letter_queue_of_its_kind(stack: Stack) -> None:
    queues = stack.properties("AWS::SQS::Queue")
    assert work(stack) >= {"InboundQueue", "OutboundQueue", "StatusesQueue"}
    assert set(_redriven(stack)) == work(stack)
    for name in work(stack):
        redrive = queues[name]["RedrivePolicy"]
        aside = queues[target(redrive["deadLetterTargetArn"])]
        assert int(redrive["maxReceiveCount"]) >= 5
        assert aside.get("FifoQueue") == queues[name].get("FifoQueue")
    assert len({target(queues[name]["RedrivePolicy"]["deadLetterTargetArn"]) for name in work(stack)}) == len(
        work(stack)
    )


def test_dead_letters_are_kept_as_long_as_sqs_keeps_anything(stack: Stack) -> None:
    for name in dead_letters(stack):
        assert stack.properties("AWS::SQS::Queue")[name]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_what_people_wrote_and_what_they_are_to_get_waits_as_long_as_sqs_keeps_anything(stack: Stack) -> None:
    queues = stack.properties("AWS::SQS::Queue")
    kept = {name: queues[name]["MessageRetentionPeriod"] for name in ("InboundQueue", "OutboundQueue")}
    assert set(kept.values()) == {14 * 24 * 3600}
    # Dead letters of a standard queue keep their age (those of a FIFO queue begin anew): some days must be left for them.
    assert queues["StatusesQueue"]["MessageRetentionPeriod"] <= 4 * 24 * 3600


def test_waiting_does_not_use_up_the_tries(stack: Stack) -> None:
    assert int(stack.properties("AWS::SQS::Queue")["OutboundQueue"]["RedrivePolicy"]["maxReceiveCount"]) == 1000


def test_the_flow_runner_gives_up_on_the_last_try_that_the_queue_allows(stack: Stack) -> None:
    """One later, SQS would take away with a message those behind it, which came back each time and were never tried."""
    redrive = stack.properties("AWS::SQS::Queue")["InboundQueue"]["RedrivePolicy"]
    assert int(redrive["maxReceiveCount"]) == MAX_RECEIVES


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
    assert {target(mapping["EventSourceArn"]) for mapping in mappings.values()} == work(stack)
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


def test_queues_are_encrypted_and_want_tls(stack: Stack) -> None:
    policies = stack.properties("AWS::SQS::QueuePolicy").values()
    for name, queue in stack.properties("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True
        [policy] = [policy for policy in policies if [target(queue) for queue in policy["Queues"]] == [name]]
        denied = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
        assert [(target(one["Resource"]), one["Action"], one["Condition"]) for one in denied] == [
            (name, "sqs:*", {"Bool": {"aws:SecureTransport": "false"}})
        ]
