"""`make judges`: Amazon's DynamoDB Local and a real Trino judge what the emulators of the local cloud cannot."""
