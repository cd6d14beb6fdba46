"""Whether bytes are a JSON text, and if not, at which line and column."""

import json
from typing import Any

from schemas.paging import FIELDS_OF_GROUPS

#: A check's business dates of opening and closing.
CHECK_DAYS = ("opnBusDt", "clsdBusDt")
_KEPT = FIELDS_OF_GROUPS | {"message", "title", "detail", *CHECK_DAYS}
_FILLED = {"": None}


class NotJson(ValueError):
    """Bytes that are not a JSON text; the message says where."""


def parse_json(body: bytes) -> Any:
    """Parse a UTF-8 JSON text and return its outermost value; NaN and the like pass.

    Of the objects inside only what we read is kept, and numbers stay text: a day of 50,000 checks
    would fill a gigabyte otherwise. Raises NotJson, also for nothing at all.
    """
    if not body.strip():
        raise NotJson("it is empty")
    outermost: list[tuple[str, Any]] = []

    def keep_little(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal outermost
        outermost = pairs  # the outermost object ends last
        kept = {name: value for name, value in pairs if name in _KEPT}
        return kept or (_FILLED if pairs else {})

    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            parse_int=str,
            parse_float=str,
            object_pairs_hook=keep_little,
        )
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise NotJson(f"it is not UTF-8 (line {line}, byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise NotJson(
            f"it is not JSON: {error.msg[:1].lower()}{error.msg[1:].removesuffix(' at')} at line "
            f"{error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise NotJson("it is nested too deeply") from error
    return dict(outermost) if isinstance(value, dict) else value
