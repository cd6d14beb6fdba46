"""SQS and S3 as the consumer uses them."""
