"""Answers of AWS that are errors, as its SDK raises them."""

from typing import Any

from botocore.exceptions import ClientError


def answer(
    code: str, status: int, message: str = "said", operation: str = "GetObject"
) -> ClientError:
    """Return the error for an answer with that code and HTTP status."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, operation)
