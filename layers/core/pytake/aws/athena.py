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

_RESULT_MISSING = "InvalidRequestException"
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

    def rows(self, sql: str, parameters: Sequence[str], version: str) -> list[dict[str, str | None]]:
        token = _token(sql, *parameters, version)
        if token not in self._kept:
            try:
                execution = self.run(sql, parameters, token)
            except QueryFailedError:
                # Athena would return the failed execution for this token forever.
                execution = self.run(sql, parameters, _token(token, "again"))
            try:
                found = self._results(execution)
            except ClientError as error:
                if aws_error_code(error) != _RESULT_MISSING:
                    raise
                # An erasure deletes all results, and the bucket deletes old ones. Athena keeps the execution of the token.
                found = self._results(self.run(sql, parameters, self._new_token()))
            self._kept[token] = found
            if len(self._kept) > CACHED_RESULTS:
                self._kept.popitem(last=False)
        return self._kept[token]

    def run(self, sql: str, parameters: Sequence[str], token: str) -> str:
        """Runs a statement to its end and returns its execution's id. Raises what `rows` raises."""
        given: dict[str, Any] = {"ExecutionParameters": list(parameters)} if parameters else {}
        try:
            execution = self._client.start_query_execution(
                QueryString=sql,
                ClientRequestToken=token,
                QueryExecutionContext={"Database": self._database},
                WorkGroup=self._work_group,
                **given,
            )["QueryExecutionId"]
            self._wait_for(execution)
        except ClientError as error:
            if aws_error_code(error) in _TOO_MANY:
                raise QueryNotReadyError from error
            raise
        return execution

    def _wait_for(self, execution: str) -> None:
        waited, pause = 0.0, FIRST_PAUSE_SECONDS
        while True:
            status = self._client.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
            state, reason = status["State"], status.get("StateChangeReason", "")
            if state == "SUCCEEDED":
                return
            if state == "CANCELLED" and "limit" in reason.lower():
                raise QueryTooLargeError(reason)
            if state in ("FAILED", "CANCELLED"):
                raise QueryFailedError(reason or state)
            if waited >= self._wait_seconds:
                raise QueryNotReadyError
            self._sleep(pause)
            waited += pause
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)

    def _results(self, execution: str) -> list[dict[str, str | None]]:
        rows: list[list[str | None]] = []
        for page in self._client.get_paginator("get_query_results").paginate(QueryExecutionId=execution):
            rows.extend([cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"])
        names = [str(name) for name in rows[0]]
        return [dict(zip(names, row, strict=True)) for row in rows[1:]]


def _token(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()
