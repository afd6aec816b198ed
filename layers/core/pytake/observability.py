"""Logs and metrics of the functions. Logs carry ids and codes; never a message's text, a phone number or a token."""

from aws_lambda_powertools import Logger

_REDACTED_LIBRARIES = ("httpx", "httpcore", "botocore", "urllib3")


def logger() -> Logger:
    """The function's structured logger; level and service name come from Powertools' own variables."""
    import logging

    for name in _REDACTED_LIBRARIES:
        # Their debug and info lines hold addresses and bodies, and with them what people wrote.
        logging.getLogger(name).setLevel(logging.WARNING)
    return Logger()
