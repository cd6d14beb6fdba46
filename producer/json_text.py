"""Whether bytes are a JSON text, and if not, at which line and column."""

import json
from collections.abc import Callable
from typing import Any

from producer.errors import NotJson
from schemas.paging import FIELDS_OF_GROUPS

_KEPT = FIELDS_OF_GROUPS | {"message", "title", "detail"}
_NOTHING: frozenset[str] = frozenset()
_FILLED = {"": None}


def parse_json(
    body: bytes, collect: frozenset[str] = _NOTHING, collected: set[str] | None = None
) -> Any:
    """Parse a UTF-8 JSON text and return its outermost value.

    Of the objects inside it only the texts of a possible error and paging fields are kept, and
    numbers stay text: a day of 50,000 checks would fill a gigabyte otherwise. Lenient where the
    consumer decides per record (NaN, lone surrogates, a byte order mark).

    Args:
        body: The text.
        collect: Names of fields whose texts are added to `collected`, at any depth.
        collected: Where they are added.

    Raises:
        NotJson: The bytes are empty, not UTF-8 or not JSON; names line and column.
    """
    if not body.strip():
        raise NotJson("it is empty")
    outermost: list[list[tuple[str, Any]]] = []
    keep_little = _keeper(outermost, collect, set() if collected is None else collected)
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
            f"it is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at line {error.lineno}, "
            f"column {error.colno}"
        ) from error
    except RecursionError as error:
        raise NotJson("it is nested too deeply") from error
    return dict(outermost[0]) if isinstance(value, dict) else value


def _keeper(
    outermost: list[list[tuple[str, Any]]], collect: frozenset[str], collected: set[str]
) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Return what makes a small dict of an object; `outermost` is the pairs of the last one."""

    def keep_little(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        outermost[:] = (pairs,)  # the outermost object ends last
        kept = {}
        for name, value in pairs:
            if name in _KEPT:
                kept[name] = value
            elif name in collect and isinstance(value, str):
                collected.add(value)
        return kept or (_FILLED if pairs else {})

    return keep_little
