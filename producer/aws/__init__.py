"""S3 and SQS as the producer uses them."""
