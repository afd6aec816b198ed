"""Starts a scheduled job at once, by invoking the scheduled function."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaJobStarter:
    """Starts one job. When Lambda does not accept it, the job starts with its next schedule."""

    def __init__(
        self, client: "Callable[[], LambdaClient]", function: str, job: str, logger: Callable[[], Logger]
    ) -> None:
        self._client = client
        self._function = function
        self._job = job
        self._logger = logger

    def __call__(self) -> None:
        payload = json.dumps({"job": self._job}).encode()
        try:
            self._client().invoke(FunctionName=self._function, InvocationType="Event", Payload=payload)
        except (BotoCoreError, ClientError):
            self._logger().warning("job.not_started", job=self._job, exc_info=True)
