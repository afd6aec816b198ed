"""Scheduled runs on DynamoDB: a row for each job and time."""

from pynamodb.exceptions import PutError

from pytake.aws.table import Table, dynamodb_error_code

KEPT_SECONDS = 7 * 86_400
"""Longer than EventBridge and Lambda retry (a day and six hours)."""

_DONE = "done"


class DynamoJobRuns:
    """Implements `pytake.conversation.ports.lake.JobRuns`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, job: str, scheduled_time: str, run: str, now: float, seconds: float) -> bool:
        item = self._table.item
        row = item(
            f"JOB#{job}", scheduled_time, writer=run, updated_at=now + seconds, expires_at=int(now) + KEPT_SECONDS
        )
        # An expired lease belongs to an aborted run; a completed run has a `status`.
        free = item.status.does_not_exist() & ((item.updated_at < now) | (item.writer == run))
        try:
            row.save(condition=item.pk.does_not_exist() | free)
        except PutError as error:
            if dynamodb_error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def finish(self, job: str, scheduled_time: str, now: float) -> None:
        self._table.item(f"JOB#{job}", scheduled_time, status=_DONE, expires_at=int(now) + KEPT_SECONDS).save()
