"""Whether some bytes are a JSON text, and if not, where they stop being one."""

import json
from typing import Any

from producer.errors import NotJsonError


def parse_json(body: bytes) -> Any:
    """Parse a UTF-8 JSON text; numbers stay text, since nothing here computes with them.

    Lenient where the consumer decides per record (NaN, lone surrogates, a byte order mark).

    Raises:
        NotJsonError: The bytes are empty, not UTF-8 or not JSON; names line and column.
    """
    if not body.strip():
        raise NotJsonError("it is empty")
    try:
        return json.loads(body.decode("utf-8-sig"), parse_int=str, parse_float=str)
    except UnicodeDecodeError as exc:
        line = body.count(b"\n", 0, exc.start) + 1
        raise NotJsonError(f"it is not UTF-8 (line {line}, byte {exc.start})") from exc
    except json.JSONDecodeError as exc:
        raise NotJsonError(
            f"it is not JSON: {exc.msg[:1].lower()}{exc.msg[1:]} at line {exc.lineno}, "
            f"column {exc.colno}"
        ) from exc
    except RecursionError as exc:
        raise NotJsonError("it is nested too deeply") from exc
