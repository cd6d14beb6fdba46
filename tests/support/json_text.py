"""Documents as the bytes that the ERP sends."""

from typing import Any

import simplejson


def json_bytes(document: Any) -> bytes:
    """Write a document as the ERP would; bytes pass through untouched."""
    if isinstance(document, bytes):
        return document
    return simplejson.dumps(document, use_decimal=True).encode()
