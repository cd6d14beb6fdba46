"""Documents of a small chain over some days, and what the oracle is told of each.

Answers correct, repeat and contradict each other: several versions of a check, its partial documents,
days that overlap, lists that lose rows, exports under one key. `as_of` differs for any two, so the
tables follow from the documents alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

from schemas.keys import api_key
from schemas.registry import Source
from tests.support.facts import LISTS
from tests.support.json_text import json_bytes
from tests.support.oracle import Put

STORES = ("99 CB CB", "001", "São João", "7+7 100% A/B")
DAYS = tuple(date(2024, 1, 1) + timedelta(days=number) for number in range(4))
START = datetime(2024, 6, 1, tzinfo=UTC)
CHECKS_A_DAY = 6
SHARED_KEYS = 12

Record = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """An object to be put; `error_code` is what a broken one ends with, `put` what loads of it."""

    key: str
    body: bytes
    put: Put | None
    error_code: str | None = None
    is_to_vanish: bool = False


class Chain:
    """Writes documents, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._numbers = count()
        self._names = count()

    def good(self, number: int) -> list[Document]:
        """Write documents without fault."""
        kinds = (self._answer, self._export, self._partial, self._list)
        return [self._random.choices(kinds, (40, 15, 10, 35))[0]() for _ in range(number)]

    def broken(self, number: int) -> list[Document]:
        """Write broken documents of all kinds in turn."""
        kinds = list(self._broken_kinds())
        return [kinds[turn % len(kinds)]() for turn in range(number)]

    def _as_of(self) -> datetime:
        """Give a time that no other document has; a later one is not a later one."""
        return START + timedelta(seconds=next(self._numbers) * 7919 % 100_003)

    def _answer(self) -> Document:
        """Write the answer for a day, with some checks of the day before."""
        store, number = self._random.choice(STORES), self._random.randrange(len(DAYS))
        ids = [self._check_id(number - (number > 0 and self._random.random() < 0.3)) for _ in "abc"]
        records = [self._full_check(check_id) for check_id in ids]
        return self._of_checks(Source.GUEST_CHECKS, store, DAYS[number], records)

    def _export(self) -> Document:
        """Write an export, half of them over one that is there."""
        ids = [self._check_id(self._random.randrange(len(DAYS))) for _ in "ab"]
        records = [self._full_check(check_id) for check_id in ids]
        return self._of_checks(Source.ERP, self._random.choice(STORES), None, records)

    def _partial(self) -> Document:
        """Write a trimmed export: no version, few fields."""
        record: Record = {"guestCheckId": self._check_id(self._random.randrange(len(DAYS)))}
        record |= self._random.choice(
            [{"gstCnt": self._random.randrange(9)}, {"tblName": None}, {"subTtl": self._amount()}]
        )
        if self._random.random() < 0.3:
            record["taxes"] = [{"taxNum": 1, "taxRate": self._amount()}]
        return self._of_checks(Source.ERP, self._random.choice(STORES), None, [record])

    def _of_checks(
        self, source: Source, store: str, day: date | None, records: list[Record]
    ) -> Document:
        as_of = self._as_of()
        document = {"curUTC": _text(as_of), "locRef": store, "guestChecks": records}
        put = Put(source.value, store, day, as_of, 0, tuple(records))
        return Document(self._key(source, store, day, as_of), json_bytes(document), put)

    def _key(self, source: Source, store: str, day: date | None, as_of: datetime) -> str:
        if day is not None:
            return api_key(source, day, store, as_of)
        if self._random.random() < 0.5:
            return f"raw/erp/same {self._random.randrange(SHARED_KEYS)}+ü.json"
        return f"raw/erp/export-{next(self._names)}.json"

    def _check_id(self, day_number: int) -> int:
        return 5_000_000_000 + day_number * 100 + self._random.randrange(CHECKS_A_DAY)

    def _amount(self) -> Decimal:
        return Decimal(self._random.randrange(-99, 9999)) / 100

    def _full_check(self, check_id: int) -> Record:
        random, day = self._random, DAYS[check_id % 1000 // 100]
        record: Record = {
            "guestCheckId": check_id,
            "opnBusDt": day.isoformat(),
            "lastUpdatedUTC": f"{day}T1{random.randrange(4)}:00:00",
            "gstCnt": random.randrange(9),
            "subTtl": self._amount(),
            "tblName": random.choice([None, "90", 'Joe "J" \\ \t\n Ü']),
        }
        if random.random() < 0.2:
            record["somethingNew"] = {"a": [1, Decimal("1.50")]}
        numbers = random.sample(range(1, 4), random.randrange(3))
        record["taxes"] = [{"taxNum": one, "taxCollTtl": self._amount()} for one in numbers]
        lines = random.sample(range(5), random.randrange(4))
        record["detailLines"] = [self._line(check_id * 10 + one, day) for one in lines]
        return record

    def _line(self, line_id: int, day: date) -> Record:
        item = {"miNum": 6000 + self._random.randrange(20), "inclTax": self._amount()}
        detail = self._random.choice([{"menuItem": item}, {"discount": {"dscNum": 3}}, {}])
        line = {"guestCheckLineItemId": line_id, "busDt": day.isoformat(), "dspQty": 1}
        return line | {"dspTtl": self._amount()} | detail

    def _list(self) -> Document:
        name = self._random.choice(sorted(LISTS))
        store, day, as_of = self._random.choice(STORES), self._random.choice(DAYS), self._as_of()
        rows = [self._row(name) for _ in range(self._random.randrange(5))]
        document: Record = {"storeId": store, "busDt": day.isoformat(), "curUTC": _text(as_of)}
        if rows or self._random.random() < 0.7:
            document[Source(name).entry.list_field] = rows or self._random.choice([[], None])
        put = Put(name, store, day, as_of, 0, tuple(rows))
        key = api_key(Source(name), day, store, as_of)
        return Document(key, json_bytes(document), put)

    def _row(self, name: str) -> Record:
        facts = LISTS[name]
        row: Record = {
            field: self._amount() if kind == "number" else f"kind {self._random.randrange(3)}"
            for field, kind in facts.fields.items()
            if kind in ("number", "text", "scalar")
        }
        if self._random.random() < 0.9:
            row[facts.id_field] = self._random.randrange(6)
        return row

    def _broken_kinds(self) -> Iterator[Callable[[], Document]]:
        yield lambda: self._damaged("json_malformed", lambda body: body[: len(body) // 2])
        yield lambda: self._damaged("json_malformed", lambda _: b"")
        yield lambda: self._damaged("encoding_invalid", lambda body: b"\xff" + body)
        yield lambda: self._damaged("schema_invalid", lambda _: b'{"error": "try again"}')
        yield lambda: self._damaged("schema_invalid", lambda _: b"[]")
        yield self._elsewhere
        yield self._in_the_wrong_place
        yield self._with_a_bad_check
        yield self._gone

    def _damaged(self, code: str, damage: Callable[[bytes], bytes]) -> Document:
        sound = self._answer()
        return Document(sound.key, damage(sound.body), None, code)

    def _elsewhere(self) -> Document:
        sound = self._answer()
        return Document(
            f"raw/elsewhere/{next(self._names)}.json", sound.body, None, "unknown_source"
        )

    def _in_the_wrong_place(self) -> Document:
        as_of, day = self._as_of(), DAYS[0]
        key = api_key(Source.TRANSACTIONS, day, "another store", as_of)
        document = {"storeId": STORES[0], "busDt": day.isoformat(), "transactions": []}
        return Document(key, json_bytes(document), None, "identity_mismatch")

    def _with_a_bad_check(self) -> Document:
        store, as_of = self._random.choice(STORES), self._as_of()
        good, bad = self._full_check(self._check_id(0)), self._full_check(self._check_id(1))
        bad["gstCnt"] = {"not": "a number"}
        document = {"curUTC": _text(as_of), "locRef": store, "guestChecks": [bad, good]}
        put = Put("erp", store, None, as_of, 0, (good,))
        key = f"raw/erp/mixed-{next(self._names)}.json"
        return Document(key, json_bytes(document), put, "records_invalid")

    def _gone(self) -> Document:
        sound = self._answer()
        return Document(sound.key, sound.body, None, "object_missing", is_to_vanish=True)


def _text(time: datetime) -> str:
    return time.replace(tzinfo=None).isoformat()
