"""Distinguishes temporary failures of AWS from errors of the product."""

_CODES = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_CANCELLED = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"})
"""Reasons for a cancelled transaction (`TransactionCanceledException`) that pass. The SDK does not repeat it."""


def is_outage(error: BaseException | None) -> bool:
    """Whether an error or its cause is a throttle, a write conflict, a timeout or a failure inside AWS: a retry may succeed."""
    from botocore.exceptions import ClientError, HTTPClientError
    from botocore.exceptions import ConnectionError as AwsConnectionError

    while error is not None:
        if isinstance(error, HTTPClientError | AwsConnectionError):  # timeouts too
            return True
        if isinstance(error, ClientError):
            reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
            if reasons & _CANCELLED or error.response.get("Error", {}).get("Code") in _CODES:
                return True
        error = error.__cause__ or error.__context__
    return False
