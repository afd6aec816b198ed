"""Query executions: their states, the threads that run them, and their descriptions in the API."""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import duckdb
from botocore.exceptions import ClientError

from local.athena.errors import BadRequestError, QueryError
from local.athena.files import split_uri
from local.athena.requests import Outcome, Request, Run, StoppedError
from local.athena.results import csv
from local.athena.statements import Statements

AT_A_TIME = 3
KEPT = 5000
KEPT_RESULTS = 100
"""Athena keeps executions for 45 days; here the last ones are kept while the emulator runs."""

ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
ENDED = {"SUCCEEDED", "FAILED", "CANCELLED"}


@dataclass
class Execution:
    """One query execution."""

    id: str
    call: dict[str, Any]
    request: Request
    submitted: float
    state: str = "QUEUED"
    reason: str | None = None
    error: QueryError | None = None
    outcome: Outcome | None = None
    started: float | None = None
    completed: float | None = None
    run: Run = field(default_factory=Run)

    def described(self) -> dict[str, Any]:
        """Return the execution as GetQueryExecution describes it."""
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.completed is not None:
            status["CompletionDateTime"] = self.completed
        if self.reason is not None:
            status["StateChangeReason"] = self.reason
        if self.error is not None:
            status["AthenaError"] = {
                "ErrorCategory": self.error.category,
                "ErrorType": 1,
                "Retryable": False,
                "ErrorMessage": str(self.error),
            }
        made: dict[str, Any] = {
            "QueryExecutionId": self.id,
            "Query": self.call["QueryString"],
            "StatementType": self.outcome.kind if self.outcome else "DML",
            "ResultConfiguration": {"OutputLocation": self.output()},
            "QueryExecutionContext": self.call.get("QueryExecutionContext") or {},
            "Status": status,
            "Statistics": self.statistics(),
            "WorkGroup": self.request.work_group,
            "EngineVersion": ENGINE,
        }
        if self.call.get("ExecutionParameters"):
            made["ExecutionParameters"] = self.call["ExecutionParameters"]
        return made

    def output(self) -> str:
        """Return where the result is, or will be."""
        if self.outcome is None or (self.outcome.kind == "DML" and self.outcome.count is None):
            return f"{self.request.output}.csv"
        return self.request.output if self.outcome.count is not None else f"{self.request.output}.txt"

    def statistics(self) -> dict[str, Any]:
        """Return times in milliseconds and bytes."""
        end = self.completed or time.time()
        started = self.started or end
        made: dict[str, Any] = {
            "EngineExecutionTimeInMillis": round((end - started) * 1000),
            "DataScannedInBytes": self.run.scanned,
            "TotalExecutionTimeInMillis": round((end - self.submitted) * 1000),
            "QueryQueueTimeInMillis": round((started - self.submitted) * 1000),
            "ServiceProcessingTimeInMillis": 0,
        }
        if self.outcome and self.outcome.files:
            made["DataManifestLocation"] = f"{self.request.output}-manifest.csv"
        return made


class Executions:
    """All executions of this Athena."""

    def __init__(self, statements: Statements, s3: Any, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        """Take the runner of statements, boto3's client for results, and the source of ids."""
        self._statements = statements
        self._s3 = s3
        self._new_id = new_id
        self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="athena")
        self._lock = threading.Lock()
        self._all: dict[str, Execution] = {}
        self._by_token: dict[str, Execution] = {}

    def start(self, call: dict[str, Any], location: str, cutoff: int | None) -> Execution:
        """Start a query, or return the one that was started with the same token.

        Raises:
            BadRequestError: the token was used for another query.
        """
        token = call.get("ClientRequestToken")
        with self._lock:
            if token and (earlier := self._by_token.get(token)) is not None:
                if earlier.call != call:
                    raise BadRequestError("Idempotent parameters do not match")
                return earlier
            id_ = self._new_id()
            request = Request(
                sql=call["QueryString"],
                parameters=call.get("ExecutionParameters") or [],
                database=(call.get("QueryExecutionContext") or {}).get("Database") or "default",
                output=f"{location.rstrip('/')}/{id_}",
                cutoff=cutoff,
                work_group=call.get("WorkGroup") or "primary",
            )
            execution = Execution(id_, call, request, time.time())
            self._all[id_] = execution
            if token:
                self._by_token[token] = execution
            self._forget()
        self._pool.submit(self._run, execution)
        return execution

    def get(self, id_: str | None) -> Execution:
        """Return an execution.

        Raises:
            BadRequestError: no execution has that id.
        """
        with self._lock:
            if id_ in self._all:
                return self._all[id_]
        raise BadRequestError(f"QueryExecution {id_} was not found")

    def listed(self, work_group: str) -> list[str]:
        """Return the ids of a work group's executions, the newest first."""
        with self._lock:
            return [e.id for e in reversed(self._all.values()) if e.request.work_group == work_group]

    def stop(self, id_: str) -> None:
        """Stop an execution; an execution that has ended does not change."""
        execution = self.get(id_)
        with self._lock:
            if execution.state == "QUEUED":
                self._end(execution, "CANCELLED", "Query cancelled by user")
                return
        if execution.state not in ENDED:
            execution.run.stop()

    def close(self) -> None:
        """Stop everything."""
        with self._lock:
            running = list(self._all.values())
        for execution in running:
            execution.run.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, execution: Execution) -> None:
        with self._lock:
            if execution.state != "QUEUED":
                return
            execution.state, execution.started = "RUNNING", time.time()
        state, reason = "SUCCEEDED", None
        try:
            outcome = self._statements.run(execution.request, execution.run)
            execution.outcome = outcome
            self._store(execution, outcome)
        except (StoppedError, duckdb.InterruptException) as stopped:
            state, reason = (
                "CANCELLED",
                str(stopped) if isinstance(stopped, StoppedError) else "Query cancelled by user",
            )
        except QueryError as problem:
            state, reason, execution.error = "FAILED", str(problem), problem
        except ClientError as problem:
            execution.error = QueryError("GENERIC_USER_ERROR", str(problem))
            state, reason = "FAILED", str(execution.error)
        except Exception as problem:  # every error is a failed query, and its caller needs the reason
            execution.error = QueryError("GENERIC_INTERNAL_ERROR", f"{type(problem).__name__}: {problem}", category=1)
            state, reason = "FAILED", str(execution.error)
        with self._lock:
            self._end(execution, state, reason)

    @staticmethod
    def _end(execution: Execution, state: str, reason: str | None) -> None:
        execution.completed = time.time()
        execution.reason, execution.state = reason, state

    def _store(self, execution: Execution, outcome: Outcome) -> None:
        bucket, key = split_uri(execution.output())
        if outcome.count is not None:
            listed = "\n".join(outcome.files).encode()
            self._s3.put_object(Bucket=bucket, Key=f"{key}-manifest.csv", Body=listed)
        elif outcome.kind == "DML":
            self._s3.put_object(Bucket=bucket, Key=key, Body=csv(outcome.columns, outcome.rows))
        else:
            lines = "".join("\t".join(value or "" for value in row) + "\n" for row in outcome.rows)
            self._s3.put_object(Bucket=bucket, Key=key, Body=lines.encode())

    def _forget(self) -> None:
        ended = [execution for execution in self._all.values() if execution.state in ENDED]
        for execution in ended[: -KEPT_RESULTS or None]:
            execution.outcome = None if execution.outcome is None else _without_rows(execution.outcome)
        for execution in ended[:-KEPT]:
            del self._all[execution.id]
            self._by_token.pop(execution.call.get("ClientRequestToken", ""), None)


def _without_rows(outcome: Outcome) -> Outcome:
    return Outcome(outcome.kind, [], [], outcome.files, outcome.count)
