"""Whether some bytes are a JSON text, and if not, where they stop being one."""

import json
from typing import Any

from producer.errors import NotJsonError

_ERROR_TEXTS = frozenset({"message", "title", "detail"})
_FILLED = {"": None}


def parse_json(body: bytes) -> Any:
    """Parse a UTF-8 JSON text for what the producer looks at: the outermost value.

    Of objects inside it only the texts are kept that an error may have; numbers stay text. A
    day of 50,000 checks would fill a gigabyte otherwise. Lenient where the consumer decides per
    record (NaN, lone surrogates, a byte order mark).

    Raises:
        NotJsonError: The bytes are empty, not UTF-8 or not JSON; names line and column.
    """
    if not body.strip():
        raise NotJsonError("it is empty")
    outermost: list[tuple[str, Any]] = []

    def keep_little(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal outermost
        outermost = pairs  # the outermost object is the last one to end
        texts = {name: value for name, value in pairs if name in _ERROR_TEXTS}
        return texts or (_FILLED if pairs else {})

    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            parse_int=str,
            parse_float=str,
            object_pairs_hook=keep_little,
        )
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
    return dict(outermost) if isinstance(value, dict) else value
