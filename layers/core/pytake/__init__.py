"""PyTake Serverless: WhatsApp conversations on AWS Lambda, SQS and DynamoDB."""
