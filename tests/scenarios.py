"""Generated histories of a lake: documents that correct, repeat and contradict each other."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from consumer.batches import Identity
from consumer.preparation import Fetched
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey, ErpKey
from schemas.sources import Source
from schemas.store_days import list_field
from tests.oracle import LISTS, Put
from tests.samples import json_bytes

START = datetime(2024, 6, 1, 12, tzinfo=UTC)
DAYS = (date(2024, 1, 1), date(2024, 1, 2))
BAD_VALUE = {"not": "a number"}

_amounts = st.sampled_from([None, 0, 7, -3, Decimal("5.10"), Decimal("-0.333333")])
_counts = st.sampled_from([None, 0, 1, 9_988_776_655])
_texts = st.sampled_from([None, "", "90", 'Joe "J" \\ \t\n Ü', "\\N"])
_flags = st.sampled_from([None, True, False])
_days = st.sampled_from([None, *(day.isoformat() for day in DAYS)])
_times = st.sampled_from([None, "2024-01-01T23:59:59", "2024-01-02T00:00:00.5"])
_unknown = st.sampled_from([None, "x", Decimal("1.50"), [], {"a": [1, {"b": None}]}])

_headers = st.fixed_dictionaries(
    {},
    optional={
        "opnBusDt": _days,
        "clsdUTC": _times,
        "clsdLcl": _times,
        "clsdFlag": _flags,
        "gstCnt": _counts,
        "subTtl": _amounts,
        "tblName": _texts,
        "somethingNew": _unknown,
        "+odd": _unknown,
    },
)
_taxes = st.fixed_dictionaries(
    {"taxNum": st.integers(1, 2)},
    optional={"taxCollTtl": _amounts, "taxRate": _amounts, "type": _counts, "new": _unknown},
)
_menu_items = st.fixed_dictionaries(
    {},
    optional={
        "miNum": st.sampled_from([None, 6042, 6043]),
        "modFlag": _flags,
        "inclTax": _amounts,
        "new": _unknown,
    },
)
_discounts = st.fixed_dictionaries({}, optional={"dscNum": _counts, "inclTax": _amounts})
_line_fields = {
    "busDt": _days,
    "dspTtl": _amounts,
    "dspQty": _amounts,
    "refInfo1": _texts,
    "vdFlag": _flags,
    "menuItem": st.none() | _menu_items,
    "discount": st.none() | _discounts,
    "new": _unknown,
}


@dataclass(frozen=True, repr=False)
class Version:
    """An object version: what the loader is given, and what the oracle is told."""

    fetched: Fetched
    put: Put

    def __repr__(self) -> str:
        as_of = (self.put.as_of - START).total_seconds()
        return f"\n  no. {self.put.order} as of {as_of:+.0f} s: {self.fetched.data.decode()}"


@dataclass(frozen=True, repr=False)
class History:
    """The versions of a lake and one delivery of their events, cut into batches by session."""

    versions: tuple[Version, ...]
    batches: tuple[tuple[int, tuple[int, ...]], ...]

    def __repr__(self) -> str:
        return f"History({self.versions!r},\n  batches by session: {self.batches})"

    def _repr_pretty_(self, printer: Any, *_: Any) -> None:
        printer.text(repr(self))

    @property
    def puts(self) -> list[Put]:
        """What the oracle is told."""
        return [version.put for version in self.versions]

    @property
    def stores(self) -> set[str]:
        """The stores that the history is about."""
        return {put.store for put in self.puts}


@st.composite
def check_records(draw: st.DrawFn, check_id: int) -> dict[str, Any]:
    """Draw one version of a check, or what a partial document says of it."""
    record: dict[str, Any] = {"guestCheckId": check_id, **draw(_headers)}
    kind = draw(st.sampled_from(["full", "full", "partial", "null"]))
    if kind == "full":
        record["lastUpdatedUTC"] = f"2024-01-01T10:0{draw(st.integers(0, 2))}:00"
    elif kind == "null":
        record["lastUpdatedUTC"] = None
    if draw(st.booleans()):
        record["taxes"] = draw(st.none() | st.lists(_taxes, max_size=3))
    if draw(st.booleans()):
        line_ids = st.integers(check_id * 10, check_id * 10 + 2)
        lines = st.fixed_dictionaries({"guestCheckLineItemId": line_ids}, optional=_line_fields)
        record["detailLines"] = draw(st.none() | st.lists(lines, max_size=3))
    return record


@st.composite
def list_records(draw: st.DrawFn, source: str) -> dict[str, Any]:
    """Draw one row of a store-day list."""
    _, id_name, columns = LISTS[source]
    values = {name: _texts if name in ("type", "reason") else _amounts for name in columns}
    row: dict[str, Any] = draw(st.fixed_dictionaries({}, optional={**values, "new": _unknown}))
    if draw(st.booleans()):
        row[id_name] = draw(st.sampled_from([None, 1, "1", 2, "A-3"]))
    return row


@st.composite
def histories(draw: st.DrawFn, run: str, max_versions: int = 7) -> History:
    """Draw a lake of two stores, whose names carry `run`, and a delivery of its events."""
    stores = (f"99 CB {run}", f"São João {run}")
    versions: list[Version] = []
    for _ in range(draw(st.integers(1, max_versions))):
        store = draw(st.sampled_from(stores[:1] * 3 + stores[1:]))
        if draw(st.integers(0, 9)) < 7:
            versions.append(_check_document(draw, len(versions), store, run))
        else:
            versions.append(_list_document(draw, len(versions), store, run))
    if draw(st.integers(0, 2)) == 0:
        for documents in draw(st.lists(_moves(), min_size=2, max_size=4)):
            _add_move(draw, versions, stores[0], run, documents)
    return History(tuple(versions), draw(_deliveries(len(versions))))


@st.composite
def _deliveries(draw: st.DrawFn, count: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    again = draw(st.lists(st.integers(0, count - 1), max_size=count))
    order = draw(st.permutations([*range(count), *again]))
    batches = []
    while order:
        size = draw(st.integers(1, 4))
        batch, order = order[:size], order[size:]
        batches.append((draw(st.integers(0, 1)), tuple(dict.fromkeys(batch))))
    return tuple(batches)


def _check_document(draw: st.DrawFn, number: int, store: str, run: str) -> Version:
    ids = draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
    records = [draw(check_records(check_id)) for check_id in ids]
    return _version(draw, number, store, run, records)


def _version(
    draw: st.DrawFn, number: int, store: str, run: str, records: list[dict[str, Any]]
) -> Version:
    source = draw(st.sampled_from([Source.ERP, Source.GUEST_CHECKS]))
    day = draw(st.sampled_from(DAYS))
    written: list[Any] = list(records)
    if draw(st.integers(0, 4)) == 0:
        bad = {**draw(check_records(1)), "gstCnt": BAD_VALUE}
        written.insert(draw(st.integers(0, len(written))), draw(st.sampled_from([bad, None, 7])))
    document: dict[str, Any] = {"locRef": store, "guestChecks": written}
    as_of = _as_of(draw, number, document)
    key = draw(st.sampled_from([f"raw/{run}/same.json", f"raw/{run}/{number}.json"]))
    identity = ErpKey() if source is Source.ERP else ApiKey(source, day, store)
    fetched = Fetched(_identity(draw, number, key), source, identity, json_bytes(document))
    return Version(fetched, Put(source.value, store, day, as_of, number, tuple(records)))


def _list_document(draw: st.DrawFn, number: int, store: str, run: str) -> Version:
    source = Source(draw(st.sampled_from(sorted(LISTS)[:2] + sorted(LISTS)[2:] * 2)))
    day = DAYS[0]
    _, id_name, columns = LISTS[source.value]
    records = draw(st.lists(list_records(source.value), max_size=4))
    written: list[Any] = list(records)
    bad_ids: list[str | None] = []
    if draw(st.integers(0, 4)) == 0:
        amount = next(name for name in columns if name not in ("type", "reason"))
        bad_id = draw(st.sampled_from([1, "A-3", None]))
        bad = {amount: BAD_VALUE, id_name: bad_id}
        written.insert(draw(st.integers(0, len(written))), bad)
        bad_ids.append(None if bad_id is None else str(bad_id))
    document: dict[str, Any] = {"storeId": store, "busDt": day.isoformat()}
    if written or draw(st.booleans()):
        document[list_field(source)] = written
    as_of = _as_of(draw, number, document)
    key = draw(st.sampled_from([f"raw/{run}/list.json", f"raw/{run}/{number}.json"]))
    fetched = Fetched(
        _identity(draw, number, key), source, ApiKey(source, day, store), json_bytes(document)
    )
    put = Put(source.value, store, day, as_of, number, tuple(records), tuple(bad_ids))
    return Version(fetched, put)


def _as_of(draw: st.DrawFn, number: int, document: dict[str, Any]) -> datetime:
    if draw(st.booleans()):
        as_of = START + timedelta(seconds=draw(st.integers(0, 3)))
        document["curUTC"] = as_of.replace(tzinfo=None).isoformat()
        return as_of
    return START + timedelta(seconds=number // 2)


def _identity(draw: st.DrawFn, number: int, key: str) -> Identity:
    """Draw an object version whose place in the event order is `number`.

    S3's LastModified has whole seconds, so neighbours tie there; the event's time or, when that
    ties too, its sequencer tells them apart. The shorter sequencer counts as padded with zeros.
    """
    modified = START + timedelta(seconds=number // 2)
    sequencer = f"{number + 16:04X}"
    event = ObjectEvent(
        "lake",
        key,
        "ObjectCreated:Put",
        version_id=f"v{number}" if draw(st.booleans()) else None,
        event_time=modified,
        sequencer=sequencer.rstrip("0") if draw(st.booleans()) else sequencer,
    )
    return Identity(event, event.version_id, f"etag-{number}", modified, START, 1)


@st.composite
def _moves(draw: st.DrawFn) -> tuple[int | None, bool]:
    return draw(st.sampled_from([7, 8, None])), draw(st.booleans())


def _add_move(
    draw: st.DrawFn, versions: list[Version], store: str, run: str, move: tuple[int | None, bool]
) -> None:
    """Move a line to another check, or away: both checks get a version newer than any before."""
    owner, together = move
    age = len(versions)
    first, second = draw(st.permutations([7, 8]))
    records = []
    for order, check_id in enumerate((first, second)):
        line = {"guestCheckLineItemId": 99, "dspTtl": age, "menuItem": {"miNum": 1}}
        time = f"2024-01-01T{11 + age // 30}:{age % 30 * 2 + order:02}:00"
        lines = [line] if check_id == owner else []
        records.append({"guestCheckId": check_id, "lastUpdatedUTC": time, "detailLines": lines})
    if together:
        versions.append(_version(draw, len(versions), store, run, records))
    else:
        for record in records:
            versions.append(_version(draw, len(versions), store, run, [record]))
