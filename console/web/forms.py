"""What a page's own form sends: names and values, bounded in size."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, HTTPException, Request

_MOST_BYTES = 64 * 1024
_MOST_FIELDS = 100


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, the last of those that have one name."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(413, "This is more than any form of the console sends.")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "This cannot be read; go back and send the form again.") from error
    return {name: value.replace("\x00", "") for name, value in fields}


Form = Annotated[dict[str, str], Depends(read_form)]
