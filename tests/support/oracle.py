"""What the tables must say, known_ids plainly from the documents: the specification as a program.

Reads documents as JSON values and knows no project code: no contract, no order of arrival, no
SQL. Only the fields that the generators use are named.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from tests.support.facts import LISTS as FACTS
from tests.support.facts import column

HEADER = {
    "opnBusDt": "opn_bus_dt",
    "clsdUTC": "clsd_utc",
    "clsdLcl": "clsd_lcl",
    "clsdFlag": "clsd_flag",
    "gstCnt": "gst_cnt",
    "subTtl": "sub_ttl",
    "tblName": "tbl_name",
}
TAX = {"taxCollTtl": "tax_coll_ttl", "taxRate": "tax_rate", "type": "type"}
LINE = {
    "busDt": "bus_dt",
    "dspTtl": "dsp_ttl",
    "dspQty": "dsp_qty",
    "refInfo1": "ref_info1",
    "vdFlag": "vd_flag",
}
DETAILS = {
    "menuItem": (
        "menu_item",
        {"miNum": "menu_item_id", "modFlag": "mod_flag", "inclTax": "incl_tax"},
    ),
    "discount": ("discount", {"dscNum": "dsc_num", "inclTax": "incl_tax"}),
    "errorCorrect": (
        "error_correct",
        {"type": "error_correct_type", "objectNum": "object_num"},
    ),
}
ABSENT_MEANS_FALSE = ("vd_flag", "err_cor_flag", "return_flag", "do_not_show_flag")
LISTS = {
    source: (facts.table, facts.id_field, {field: column(field) for field in facts.fields})
    for source, facts in FACTS.items()
}

NEVER, FOR_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

Key = tuple[Any, ...]
Row = dict[str, Any]
Tables = dict[str, dict[Key, Row]]


@dataclass(frozen=True)
class Put:
    """One object version: `order` is the S3 event order, `records` leave out the bad ones.

    `bad_ids` are the ids of the bad records of a list, None where the id cannot be read.
    No version that it tells counts as later than `latest`.
    """

    source: str
    store: str
    day: date | None
    as_of: datetime
    order: int
    records: tuple[dict[str, Any], ...]
    bad_ids: tuple[str | None, ...] = ()
    latest: datetime = FOR_EVER

    @property
    def rank(self) -> tuple[datetime, int]:
        """Its place among answers, and among partial documents."""
        return min(self.as_of, self.latest), self.order

    def version(self, record: dict[str, Any]) -> tuple[datetime, datetime, int]:
        """Return the place of a full record among those of its check."""
        updated = stored("last_updated_utc", record["lastUpdatedUTC"])
        return min(updated, self.latest), *self.rank


@dataclass
class Known:
    """A row in the making: its columns, and what has no column."""

    columns: Row = field(default_factory=dict)
    extra: Row = field(default_factory=dict)

    def row(self) -> Row:
        """Return the row as it is read."""
        row = self.columns | ({"extra": self.extra} if self.extra else {})
        return {name: value for name, value in row.items() if value is not None}


def expected_tables(puts: Iterable[Put]) -> Tables:
    """Tell what the tables say once all of `puts` were loaded, in whatever order."""
    tables: Tables = defaultdict(dict)
    puts = list(puts)
    for key, sightings in _sightings(puts).items():
        _effective_check(key, sightings).write(tables)
    _write_items(tables, puts)
    lists: dict[Key, list[Put]] = defaultdict(list)
    for put in puts:
        if put.source in LISTS:
            lists[put.source, put.store, put.day].append(put)
    for answers in lists.values():
        _write_list(tables, sorted(answers, key=lambda put: put.rank, reverse=True))
    return tables


def _sightings(puts: Iterable[Put]) -> dict[tuple[str, int], list[tuple[Put, int, Row]]]:
    seen: dict[tuple[str, int], list[tuple[Put, int, Row]]] = defaultdict(list)
    for put in puts:
        if put.source not in LISTS:
            for position, record in enumerate(put.records):
                seen[put.store, record["guestCheckId"]].append((put, position, record))
    return seen


def _effective_check(key: tuple[str, int], sightings: list[tuple[Put, int, Row]]) -> "_Check":
    full = [one for one in sightings if one[2].get("lastUpdatedUTC") is not None]
    partial = [one for one in sightings if one[2].get("lastUpdatedUTC") is None]
    check = _Check(*key)
    since = NEVER
    if full:
        put, _, record = max(full, key=lambda one: (*one[0].version(one[2]), one[1]))
        since, _ = put.rank
        version = stored("last_updated_utc", record["lastUpdatedUTC"])
        check.header.columns["last_updated_utc"] = version
        check.apply(record, whole=True)
    for put, _, record in sorted(partial, key=lambda one: (*one[0].rank, one[1])):
        if put.rank[0] >= since:
            check.apply(record, whole=False)
    return check


@dataclass
class _Check:
    store: str
    id: int
    header: Known = field(default_factory=Known)
    taxes: dict[int, Known] = field(default_factory=dict)
    lines: dict[int, Known] = field(default_factory=dict)

    def apply(self, record: Row, *, whole: bool) -> None:
        keys = ("guestCheckId", "lastUpdatedUTC", "taxes", "detailLines")
        _merge(self.header, record, HEADER, keys)
        for tax in _last_by_id(record.get("taxes"), "taxNum"):
            _merge(self.taxes.setdefault(tax["taxNum"], Known()), tax, TAX, ("taxNum",))
        for line in _last_by_id(record.get("detailLines"), "guestCheckLineItemId"):
            known = self.lines.setdefault(line["guestCheckLineItemId"], _new_line())
            if whole and line.get("menuItem") is not None:
                known.columns["mod_flag"] = False
            _merge_line(known, line)

    def write(self, tables: Tables) -> None:
        tables["guest_checks"][self.store, self.id] = self.header.row()
        for number, known in self.taxes.items():
            tables["taxes"][self.store, self.id, number] = known.row()
        for number, known in self.lines.items():
            tables["detail_lines"][self.store, self.id, number] = known.row()


def _new_line() -> Known:
    return Known(dict.fromkeys(ABSENT_MEANS_FALSE, False) | {"line_type": "unknown"})


def _last_by_id(children: list[Row] | None, name: str) -> Iterator[Row]:
    yield from {child[name]: child for child in children or ()}.values()


def _merge(
    known: Known, record: Mapping[str, Any], columns: Mapping[str, str], keys: Iterable[str]
) -> None:
    for name, value in record.items():
        if name in columns:
            known.columns[columns[name]] = stored(columns[name], value)
        elif name not in keys:
            known.extra[name] = value


def _merge_line(known: Known, line: Row) -> None:
    _merge(known, line, LINE, ("guestCheckLineItemId", *DETAILS))
    details = [(name, line[name]) for name in DETAILS if line.get(name) is not None]
    for number, (name, detail) in enumerate(details):
        if number:
            known.extra[name] = detail
            continue
        kind, columns = DETAILS[name]
        known.columns["line_type"] = kind
        inner = Known(known.columns)
        _merge(inner, detail, columns, ())
        if inner.extra:
            known.extra[name] = inner.extra


def _write_items(tables: Tables, puts: Iterable[Put]) -> None:
    days: dict[Key, list[date]] = defaultdict(list)
    for (store, _), sightings in _sightings(puts).items():
        for _, _, record in sightings:
            for line in record.get("detailLines") or ():
                item = (line.get("menuItem") or {}).get("miNum")
                if item is not None:
                    day = line.get("busDt") or record.get("opnBusDt")
                    days[store, item] += [date.fromisoformat(day)] if day else []
    for key, seen in days.items():
        span = {"first_seen": min(seen), "last_seen": max(seen)} if seen else {}
        tables["menu_items"][key] = span


def _write_list(tables: Tables, answers: list[Put]) -> None:
    """Tell what the answers of one day say, the newest first.

    What one cannot say, because a row is bad, the next one does.
    """
    table = LISTS[answers[0].source][0]
    known_ids: set[str] = set()
    open_ids: set[str] | None = None  # all
    for put in answers:
        rows = _rows(put)
        for record_id, row in rows.items():
            if record_id not in known_ids and (open_ids is None or record_id in open_ids):
                tables[table][put.store, put.day, record_id] = row
        known_ids |= rows.keys()
        if None not in put.bad_ids:
            bad = {record_id for record_id in put.bad_ids if record_id is not None}
            open_ids = bad if open_ids is None else open_ids & bad


def _rows(put: Put) -> dict[str, Row]:
    _, id_name, columns = LISTS[put.source]
    occurrences: dict[str, int] = defaultdict(int)
    rows: dict[str, Row] = {}
    for record in put.records:
        record_id = record.get(id_name)
        if record_id is None:
            # Which id stands for a row without one is nobody's business, as long as rows of the
            # same content are kept apart.
            content = repr(sorted(record.items()))
            occurrences[content] += 1
            record_id = f"content of {content} no. {occurrences[content]}"
        known = Known()
        _merge(known, record, columns, (id_name,))
        rows[str(record_id)] = known.row()
    return rows


def stored(column: str, value: Any) -> Any:
    """Tell how a JSON value of a column comes out of the database."""
    if value is None:
        return None
    if column.endswith("_utc"):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if column.endswith("_lcl"):
        return datetime.fromisoformat(value)
    if column.endswith("_dt"):
        return date.fromisoformat(value)
    return str(value) if column == "error_correct_type" else value
