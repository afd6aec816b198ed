"""The ports' adapters on DynamoDB, SQS, Secrets Manager, EventBridge and S3."""

import logging

# When it is imported, PynamoDB logs that its settings have no overrides. Each adapter imports this package before it.
logging.getLogger("pynamodb.settings").setLevel(logging.WARNING)
