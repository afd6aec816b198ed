"""The ports' adapters on DynamoDB, SQS, Secrets Manager, EventBridge and S3."""
