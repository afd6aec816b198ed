"""The operations of Athena's API that the local Athena answers. The emulator answers the rest: work groups, named queries,
prepared statements, catalogues and databases.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.athena.catalogue import Catalogue
from local.athena.engine import Engines, Limits
from local.athena.errors import BadRequestError
from local.athena.executions import Execution, Executions
from local.athena.statements import Statements
from local.embedded_aws import REGION

Json = dict[str, Any]


class AthenaService:
    """Answers calls; each operation takes and returns the JSON of AWS's API reference."""

    def __init__(
        self,
        endpoint_url: str,
        folder: Path,
        access_key: str,
        region: str = REGION,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open it.

        Args:
            endpoint_url: of S3, Glue and the rest of Athena.
            folder: for copies of files; it is created.
            access_key: of the account's owner.
            region: where they are.
            limits: of one query.
            now: the clock of partition projections.
        """
        (folder / "files").mkdir(parents=True, exist_ok=True)
        session = boto3.Session(aws_access_key_id=access_key, aws_secret_access_key="local", region_name=region)  # noqa: S106
        config = Config(s3={"addressing_style": "path"}, max_pool_connections=32, retries={"max_attempts": 1})
        client: Callable[[str], Any] = lambda name: session.client(name, endpoint_url=endpoint_url, config=config)  # type: ignore[call-overload]  # noqa: E731
        s3, self._glue, self._athena = client("s3"), client("glue"), client("athena")
        self._engines = Engines(folder.resolve(), limits or Limits())
        with self._engines.one():
            pass  # it takes longer to open than most queries; the first finds it open
        statements = Statements(s3, self._athena, Catalogue(self._glue), self._engines, folder.resolve(), now)
        self._executions = Executions(statements, s3)

    def close(self) -> None:
        """Stop the running queries."""
        self._executions.close()
        self._engines.close()

    def answer(self, operation: str, call: Json) -> tuple[int, Json]:
        """Answer a call of one of `OPERATIONS`: the HTTP status and the JSON."""
        try:
            return 200, OPERATIONS[operation](self, call)
        except BadRequestError as problem:
            code = {"AthenaErrorCode": "INVALID_INPUT"} if problem.kind == "InvalidRequestException" else {}
            return 400, {"__type": problem.kind, "message": str(problem), "Message": str(problem), **code}
        except ClientError as problem:  # the emulator refused what this call needs, such as an unknown work group
            message = problem.response.get("Error", {}).get("Message", str(problem))
            return 400, {"__type": "InvalidRequestException", "message": message, "Message": message}

    def _start(self, call: Json) -> Json:
        if not str(call.get("QueryString") or "").strip():
            raise BadRequestError("QueryString must not be empty")
        work_group = call.get("WorkGroup") or "primary"
        found = self._athena.get_work_group(WorkGroup=work_group)["WorkGroup"]
        if found.get("State", "ENABLED") != "ENABLED":
            raise BadRequestError(f"WorkGroup {work_group} is disabled")
        settings = found.get("Configuration") or {}
        of_group = (settings.get("ResultConfiguration") or {}).get("OutputLocation")
        of_call = (call.get("ResultConfiguration") or {}).get("OutputLocation")
        # Athena's own default: settings of a work group bind unless it says otherwise.
        enforced = settings.get("EnforceWorkGroupConfiguration", work_group != "primary")
        location = (of_group or of_call) if enforced in {True, "true"} else (of_call or of_group)
        if not location:
            raise BadRequestError(
                "No output location provided. You did not provide an output location for your query results. Please "
                "either provide an output location for this query or enable it in your work group."
            )
        cutoff = settings.get("BytesScannedCutoffPerQuery")
        execution = self._executions.start(call, location, int(cutoff) if cutoff else None)
        return {"QueryExecutionId": execution.id}

    def _execution(self, call: Json) -> Json:
        return {"QueryExecution": self._get(call).described()}

    def _executions_of(self, call: Json) -> Json:
        found, unknown = [], []
        for id_ in call.get("QueryExecutionIds") or []:
            try:
                found.append(self._executions.get(id_).described())
            except BadRequestError as problem:
                unknown.append({"QueryExecutionId": id_, "ErrorCode": "INVALID_INPUT", "ErrorMessage": str(problem)})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": unknown}

    def _list(self, call: Json) -> Json:
        ids = self._executions.listed(call.get("WorkGroup") or "primary")
        return _page("QueryExecutionIds", ids, call, 50)

    def _stop(self, call: Json) -> Json:
        self._executions.stop(self._get(call).id)
        return {}

    def _results(self, call: Json) -> Json:
        execution = self._get(call)
        if execution.state in {"QUEUED", "RUNNING"}:
            raise BadRequestError(f"Query has not yet finished. Current state: {execution.state}")
        outcome = execution.outcome
        if execution.state != "SUCCEEDED" or outcome is None:
            raise BadRequestError(f"Query did not finish successfully. Final query state: {execution.state}")
        if outcome.kind != "DDL" and not outcome.columns:
            raise BadRequestError("The result of this execution is no longer kept; it is in S3")
        header = outcome.kind == "DML" and outcome.count is None
        rows = ([tuple(column.name for column in outcome.columns)] if header else []) + outcome.rows
        page = _page("Rows", rows, call, 1000)
        answer: Json = {
            "UpdateCount": outcome.count or 0,
            "ResultSet": {
                "Rows": [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in page["Rows"]],
                "ResultSetMetadata": {"ColumnInfo": [column.info() for column in outcome.columns]},
            },
        }
        if "NextToken" in page:
            answer["NextToken"] = page["NextToken"]
        return answer

    def _statistics(self, call: Json) -> Json:
        execution = self._get(call)
        outcome = execution.outcome
        rows = {"InputBytes": execution.run.scanned, "OutputRows": len(outcome.rows) if outcome else 0}
        timeline = execution.statistics()
        timeline.pop("DataScannedInBytes")
        timeline.pop("DataManifestLocation", None)
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}

    def _table_metadata(self, call: Json) -> Json:
        try:
            found = self._glue.get_table(DatabaseName=call.get("DatabaseName"), Name=call.get("TableName"))["Table"]
        except self._glue.exceptions.EntityNotFoundException as problem:
            raise BadRequestError(
                f"EntityNotFoundException: Table {call.get('TableName')} not found", "MetadataException"
            ) from problem
        storage = found.get("StorageDescriptor", {})
        parameters = {**found.get("Parameters", {}), "location": storage.get("Location", "")}
        return {
            "TableMetadata": {
                "Name": found["Name"],
                "TableType": found.get("TableType", "EXTERNAL_TABLE"),
                "Columns": storage.get("Columns", []),
                "PartitionKeys": found.get("PartitionKeys", []),
                "Parameters": parameters,
            }
        }

    def _get(self, call: Json) -> Execution:
        return self._executions.get(call.get("QueryExecutionId"))


def _page(name: str, items: Sequence[Any], call: Json, most: int) -> Json:
    token = call.get("NextToken") or "0"
    if not str(token).isdigit():
        raise BadRequestError("Malformed pagination token")
    start = int(token)
    end = start + min(int(call.get("MaxResults") or most), most)
    made: Json = {name: items[start:end]}
    if end < len(items):
        made["NextToken"] = str(end)
    return made


OPERATIONS: dict[str, Callable[[AthenaService, Json], Json]] = {
    "StartQueryExecution": AthenaService._start,
    "GetQueryExecution": AthenaService._execution,
    "BatchGetQueryExecution": AthenaService._executions_of,
    "ListQueryExecutions": AthenaService._list,
    "GetQueryResults": AthenaService._results,
    "StopQueryExecution": AthenaService._stop,
    "GetQueryRuntimeStatistics": AthenaService._statistics,
    "GetTableMetadata": AthenaService._table_metadata,
}
"""What is answered here."""
