"""The embedded AWS of a running local cloud, for tests that look behind the API."""

import json
import uuid
from typing import Any

import boto3

from tests.cloud.conftest import Cloud
from tests.cloud.waiting import until


class Aws:
    """The embedded AWS, and everything that is in it."""

    def __init__(self, cloud: Cloud) -> None:
        described = cloud.http.get("/_local/aws").json()
        environment, self.cloud = described["environment"], cloud
        self._session = boto3.session.Session(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment.get("AWS_REGION") or environment["AWS_DEFAULT_REGION"],
        )
        self._endpoint = environment["AWS_ENDPOINT_URL"]
        self.stack: str = described["stack"]
        [stack] = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def client(self, service: Any) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint)

    def run(self, job: str) -> dict[str, Any]:
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs["ScheduledFunctionName"], Payload=json.dumps({"job": job})
        )
        described = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, described
        return dict(described)

    def export(self) -> None:
        """Export everything up to now. The job does nothing while the schedule's own run of it has the lease."""
        until(lambda: bool(self.run("export")["up_to_date"]))

    def table(self) -> str:
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs["TableName"])
        return "\n".join(str(item) for page in pages for item in page["Items"])

    def bucket(self, folder: str) -> bytes:
        """The bytes of all versions of all objects, as DuckDB would read them too: Parquet is compressed."""
        import duckdb

        s3, name, found = self.client("s3"), self.outputs["LakeBucketName"], b""
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for version in page.get("Versions", []):
                body = s3.get_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
                found += body
                if version["Key"].endswith(".parquet"):
                    path = f"{folder}/{uuid.uuid4().hex}.parquet"
                    with open(path, "wb") as file:
                        file.write(body)
                    found += str(duckdb.sql(f"select * from '{path}'").fetchall()).encode()  # noqa: S608
        return found

    def rows(self, folder: str) -> list[tuple[Any, ...]]:
        """Events by type, of the demo's lake."""
        import duckdb

        s3, name = self.client("s3"), self.outputs["LakeBucketName"]
        counted: dict[str, int] = {}
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix="events/organization_id=demo/"):
            for found in page.get("Contents", []):
                path = f"{folder}/{uuid.uuid4().hex}.parquet"
                s3.download_file(name, found["Key"], path)
                for type_, count in duckdb.sql(f"select type, count(*) from '{path}' group by 1").fetchall():  # noqa: S608
                    counted[type_] = counted.get(type_, 0) + count
        return sorted(counted.items())

    def queues(self) -> str:
        sqs, found = self.client("sqs"), ""
        for name, url in self.outputs.items():
            if name.endswith(("QueueUrl", "DeadLettersUrl")):
                answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1)
                found += str(answer.get("Messages", ""))
        return found

    def let_settle(self) -> None:
        """Make the erasures that are not finished older than any worker."""
        dynamodb, table = self.client("dynamodb"), self.outputs["TableName"]
        found = dynamodb.query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "ERASURES"}},
        )["Items"]
        for item in found:
            item["updated_at"] = {"N": str(float(item["updated_at"]["N"]) - 3600)}
            dynamodb.put_item(TableName=table, Item=item)
