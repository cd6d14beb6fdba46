"""What somebody may have meant by what they wrote into the field of Find."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import unquote

from console.web.parameters import FIRST_DAY, LAST_DAY

_LARGEST_ID = 2**63 - 1
_DAY = re.compile(r"busDt=(\d{4}-\d\d-\d\d)")
_STORE = re.compile(r"storeId=([^/]+)/")
_WRITTEN_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is looked for; several things at once, as `2024` may be a store or a check."""

    words: str
    check_id: int | None
    day: date | None
    key: str | None
    key_day: date | None  # of a key, as far as it is written
    key_store: str | None


def meaning(words: str) -> Meaning:
    """Read what was written: a key (also as `s3://…`), a store, a day or a check's id."""
    key = _key(words)
    told = _DAY.search(key) if key else None
    store = _STORE.search(key) if key else None
    return Meaning(
        words=words,
        check_id=_check_id(words),
        day=None if key else _day(words),
        key=key,
        key_day=_day(told[1]) if told else None,
        key_store=unquote(store[1]) if store else None,
    )


def _check_id(words: str) -> int | None:
    # ASCII: other digits are none to int(), or to PostgreSQL.
    if not re.fullmatch(r"-?[0-9]{1,19}", words):
        return None
    number = int(words)
    return number if abs(number) <= _LARGEST_ID else None


def _day(words: str) -> date | None:
    for form in _WRITTEN_DAYS:
        try:
            day = datetime.strptime(words, form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
        return day if FIRST_DAY <= day <= LAST_DAY else None
    return None


def _key(words: str) -> str | None:
    if re.fullmatch(r"\d\d/\d\d/\d{4}", words) or "/" not in words:
        return None
    return re.sub(r"^s3://[^/]*/", "", words)
