"""One SQS message from receipt to settlement."""
