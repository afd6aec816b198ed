"""No message is lost silently: dead-letter queues, visibility timeouts, encryption. For the alarms see test_alarms.py."""

import re

from local.dead_letters import MOVABLE
from tests.stack import REPOSITORY, Stack, target


def test_work_that_keeps_failing_goes_to_a_dead_letter_queue_of_the_same_type(stack: Stack) -> None:
    queues = stack.properties("AWS::SQS::Queue")
    assert stack.work_queues() >= {"InboundQueue", "OutboundQueue", "StatusesQueue"}
    assert set(stack.redriven()) == stack.work_queues()
    for name in stack.work_queues():
        redrive = queues[name]["RedrivePolicy"]
        aside = queues[target(redrive["deadLetterTargetArn"])]
        assert int(redrive["maxReceiveCount"]) >= 5
        assert aside.get("FifoQueue") == queues[name].get("FifoQueue")
    assert len({target(queues[name]["RedrivePolicy"]["deadLetterTargetArn"]) for name in stack.work_queues()}) == len(
        stack.work_queues()
    )


def test_only_its_own_queue_may_use_a_dead_letter_queue(stack: Stack) -> None:
    queues = stack.properties("AWS::SQS::Queue")
    for name in stack.dead_letters():
        policy = queues[name]["RedriveAllowPolicy"]
        [source] = policy["sourceQueueArns"]
        assert policy["redrivePermission"] == "byQueue"
        source_name = source["Fn::Sub"].rpartition(":")[2]
        own = name.replace("DeadLetters", "Queue")
        if own in queues:  # the queue of failed runs has no queue before it
            assert queues[own]["QueueName"]["Fn::Sub"] == source_name


def test_dead_letters_are_kept_for_the_maximum_time(stack: Stack) -> None:
    for name in stack.dead_letters():
        assert stack.properties("AWS::SQS::Queue")[name]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_messages_and_answers_are_kept_for_the_maximum_time(stack: Stack) -> None:
    queues = stack.properties("AWS::SQS::Queue")
    kept = {name: queues[name]["MessageRetentionPeriod"] for name in ("InboundQueue", "OutboundQueue", "BulkQueue")}
    assert set(kept.values()) == {14 * 24 * 3600}
    # Dead letters of a standard queue keep their age (those of a FIFO queue start at zero): some days must remain.
    assert queues["StatusesQueue"]["MessageRetentionPeriod"] <= 4 * 24 * 3600


def test_waiting_does_not_exhaust_the_receive_count(stack: Stack) -> None:
    for queue in ("InboundQueue", "OutboundQueue", "BulkQueue"):
        assert int(stack.properties("AWS::SQS::Queue")[queue]["RedrivePolicy"]["maxReceiveCount"]) == 1000


def test_the_decision_record_names_the_receive_counts_of_the_template(stack: Stack) -> None:
    text = " ".join((REPOSITORY / "docs" / "adr" / "0020-retries-by-the-ledger-redrive-by-sqs.md").read_text().split())
    sentence = re.search(r"whose worker dies each time: (.+?)\. ", text)
    assert sentence
    named = {}
    for count, names in re.findall(r"([\d,]+) (?:receives )?(?:\(the maximum\) )?on ([^0-9]+)", sentence[1]):
        named |= dict.fromkeys(re.findall(r"`(\w+)`", names), int(count.replace(",", "")))
    queues = stack.properties("AWS::SQS::Queue")
    assert named == {
        name.removesuffix("Queue").lower(): int(queues[name]["RedrivePolicy"]["maxReceiveCount"])
        for name in stack.work_queues()
    }
    moved = re.search(r"uses `StartMessageMoveTask`, for (.+?)\.", text)
    assert moved
    assert set(re.findall(r"`(\w+)`", moved[1])) == set(MOVABLE)


def test_messages_of_one_conversation_keep_their_order(stack: Stack) -> None:
    queues = stack.properties("AWS::SQS::Queue")
    assert {name for name, queue in queues.items() if queue.get("FifoQueue")} == {
        "InboundQueue",
        "InboundDeadLetters",
        "OutboundQueue",
        "OutboundDeadLetters",
        "BulkQueue",
        "BulkDeadLetters",
    }
    for name, queue in queues.items():
        if queue.get("FifoQueue"):
            assert queue["QueueName"]["Fn::Sub"].endswith(".fifo"), name
            assert (queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")


def test_the_visibility_timeout_is_six_times_the_timeout_of_the_worker(stack: Stack) -> None:
    functions = stack.properties("AWS::Lambda::Function")
    queues = stack.properties("AWS::SQS::Queue")
    mappings = stack.properties("AWS::Lambda::EventSourceMapping")
    assert {target(mapping["EventSourceArn"]) for mapping in mappings.values()} == stack.work_queues()
    for mapping in mappings.values():
        queue = queues[target(mapping["EventSourceArn"])]
        function = functions[stack.behind(mapping["FunctionName"])]
        window = mapping.get("MaximumBatchingWindowInSeconds", 0)
        assert stack.default(queue["VisibilityTimeout"]) >= 6 * stack.default(function["Timeout"]) + window


def test_a_failed_message_does_not_repeat_its_batch_and_concurrency_is_limited(stack: Stack) -> None:
    for mapping in stack.properties("AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert stack.default(mapping["ScalingConfig"]["MaximumConcurrency"]) >= 2
    for name, function in stack.properties("AWS::Lambda::Function").items():
        assert name in ("WebhookFunction", "ConsoleFunction") or "ReservedConcurrentExecutions" not in function


def test_queues_are_encrypted_and_require_tls(stack: Stack) -> None:
    policies = stack.properties("AWS::SQS::QueuePolicy").values()
    for name, queue in stack.properties("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True
        [policy] = [policy for policy in policies if [target(queue) for queue in policy["Queues"]] == [name]]
        denied = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
        assert [(target(one["Resource"]), one["Action"], one["Condition"]) for one in denied] == [
            (name, "sqs:*", {"Bool": {"aws:SecureTransport": "false"}})
        ]
