"""Queries over the lake, on Athena."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from pytake.conversation.ports.lake import QueryFailedError, QueryNotReadyError, QueryTooLargeError
from pytake.observability import aws_error_code

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

FIRST_PAUSE_SECONDS = 0.03
LONGEST_PAUSE_SECONDS = 0.5

CACHED_RESULTS = 64

BATCH = 50
"""The most executions of one BatchGetQueryExecution."""

_RESULT_MISSING = "InvalidRequestException"
_RUNNING = frozenset(("QUEUED", "RUNNING"))
_TOO_MANY = frozenset(("TooManyRequestsException", "ThrottlingException"))


class AthenaQueries:
    """Implements `pytake.conversation.ports.lake.LakeQueries`.

    The work group defines where results are stored, how they are encrypted and how much a query may read. The token of a query
    is derived from its text, its values and its version. For the same token Athena returns the same execution, running or
    ended, and bills it once. Athena's own reuse of results depends on their age and knows no version, so it is not used.
    """

    def __init__(
        self,
        client: "AthenaClient",
        work_group: str,
        database: str,
        wait_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        new_token: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._client = client
        self._work_group = work_group
        self._database = database
        self._wait_seconds = wait_seconds
        self._sleep = sleep
        self._new_token = new_token
        self._kept: OrderedDict[str, list[dict[str, str | None]]] = OrderedDict()
        self._renewed: dict[str, str] = {}
        """Tokens that replace those whose results were deleted: a caller that could not wait finds the same execution."""

    def rows(self, sql: str, parameters: Sequence[str], version: str) -> list[dict[str, str | None]]:
        token = _token(sql, *parameters, version)
        if token not in self._kept:
            current = self._renewed.get(token, token)
            try:
                execution = self.run(sql, parameters, current)
            except QueryFailedError:
                # Athena would return the failed execution for this token forever.
                execution = self.run(sql, parameters, _token(current, "again"))
            try:
                found = self._results(execution)
            except ClientError as error:
                if aws_error_code(error) != _RESULT_MISSING:
                    raise
                # An erasure deletes all results, and the bucket deletes old ones. Athena keeps the execution of the token.
                self._renewed[token] = self._new_token()
                found = self._results(self.run(sql, parameters, self._renewed[token]))
            self._kept[token] = found
            if len(self._kept) > CACHED_RESULTS:
                self._kept.popitem(last=False)
        return self._kept[token]

    def run(self, sql: str, parameters: Sequence[str], token: str) -> str:
        """Runs a statement to its end and returns its execution's id. Raises what `rows` raises."""
        execution = self.start(sql, parameters, token)
        error = self._wait([execution], self._status)[execution]
        if error is not None:
            raise error
        return execution

    def wait(self, executions: Sequence[str], out_of_time: Callable[[], bool]) -> dict[str, Exception | None]:
        """Waits for all executions; returns what went wrong with each, as `rows` raises it. Stops when time is up."""
        return self._wait(executions, self._statuses, out_of_time)

    def start(self, sql: str, parameters: Sequence[str], token: str) -> str:
        """Starts a statement and returns its execution's id. Raises `QueryNotReadyError` when too many run."""
        given: dict[str, Any] = {"ExecutionParameters": list(parameters)} if parameters else {}
        try:
            return self._client.start_query_execution(
                QueryString=sql,
                ClientRequestToken=token,
                QueryExecutionContext={"Database": self._database},
                WorkGroup=self._work_group,
                **given,
            )["QueryExecutionId"]
        except ClientError as error:
            if aws_error_code(error) in _TOO_MANY:
                raise QueryNotReadyError from error
            raise

    def _wait(
        self,
        executions: Sequence[str],
        statuses: Callable[[Sequence[str]], dict[str, Any]],
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> dict[str, Exception | None]:
        outcomes = dict[str, Exception | None]()
        running, waited, pause = list(executions), 0.0, FIRST_PAUSE_SECONDS
        while running:
            for execution, status in self._unless_busy(statuses, running).items():
                if status["State"] not in _RUNNING:
                    outcomes[execution] = _error(status)
            running = [execution for execution in running if execution not in outcomes]
            if running and (waited >= self._wait_seconds or out_of_time()):
                return outcomes | {execution: QueryNotReadyError() for execution in running}
            if running:
                self._sleep(pause)
                waited += pause
                pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        return outcomes

    def _unless_busy(
        self, statuses: Callable[[Sequence[str]], dict[str, Any]], executions: Sequence[str]
    ) -> dict[str, Any]:
        """The statuses that Athena returns now: none when it is too busy to answer."""
        try:
            return statuses(executions)
        except ClientError as error:
            if aws_error_code(error) in _TOO_MANY:
                return {}
            raise

    def _status(self, executions: Sequence[str]) -> dict[str, Any]:
        [execution] = executions
        return {execution: self._client.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]}

    def _statuses(self, executions: Sequence[str]) -> dict[str, Any]:
        found = dict[str, Any]()
        for start in range(0, len(executions), BATCH):
            answer = self._client.batch_get_query_execution(QueryExecutionIds=list(executions[start : start + BATCH]))
            found |= {one["QueryExecutionId"]: one["Status"] for one in answer["QueryExecutions"]}
        return found

    def _results(self, execution: str) -> list[dict[str, str | None]]:
        rows: list[list[str | None]] = []
        for page in self._client.get_paginator("get_query_results").paginate(QueryExecutionId=execution):
            rows.extend([cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"])
        names = [str(name) for name in rows[0]]
        return [dict(zip(names, row, strict=True)) for row in rows[1:]]


def _error(status: dict[str, Any]) -> Exception | None:
    """Why an ended execution has no result; None if it has one."""
    state, reason = status["State"], status.get("StateChangeReason", "")
    if state == "SUCCEEDED":
        return None
    if state == "CANCELLED" and "limit" in reason.lower():
        return QueryTooLargeError(reason)
    return QueryFailedError(reason or state)


def _token(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()
