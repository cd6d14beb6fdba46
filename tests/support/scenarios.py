"""Generated histories of a lake: documents that correct, repeat and contradict each other."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from hypothesis import strategies as st

from consumer.ingest.prepare import Fetched
from consumer.load.document import Identity
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey, ErpKey
from schemas.registry import Source
from tests.support.contents import (
    BAD_VALUE,
    DAYS,
    SHARED_LINES,
    bad_rows,
    check_records,
    list_records,
    under_other_names,
)
from tests.support.json_text import json_bytes
from tests.support.oracle import LISTS, Put

START = datetime(2024, 6, 1, 12, tzinfo=UTC)
# A clock that runs ahead by a little, and one that is broken
FUTURE = (START + timedelta(minutes=10, seconds=2), datetime(2094, 1, 1, tzinfo=UTC))
CONSTANT_SEQUENCER = "0055AED6DCD90281E5"  # LocalStack's, for every event


@dataclass(frozen=True, repr=False)
class Version:
    """An object version: what the loader is given, and what the oracle is told."""

    fetched: Fetched
    put: Put

    def __repr__(self) -> str:
        as_of = (self.put.as_of - START).total_seconds()
        identity = self.fetched.identity
        event = identity.event
        seconds = (identity.event_time - START).total_seconds()
        return (
            f"\n  no. {self.put.order} as of {as_of:+.0f} s, event {seconds:+.1f} s"
            f" {event.sequencer} {event.key} {identity.version_id or identity.etag}:"
            f" {self.fetched.data.decode()}"
        )


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


@dataclass(frozen=True)
class _Draft:
    """An object before its place in time is known. Those with one `content` are equal bytes."""

    source: Source
    store: str
    day: date
    key: str
    content: int
    written: dict[str, Any]
    as_of: datetime | None
    records: tuple[dict[str, Any], ...]
    bad_ids: tuple[str | None, ...] = ()


@st.composite
def histories(
    draw: st.DrawFn, run: str, max_versions: int = 7, *, sends_again: bool = True
) -> History:
    """Draw a lake of two stores, whose names carry `run`, and a delivery of its events.

    `sends_again`: many documents hold records that former ones held.
    """
    stores = (f"99 CB {run}", f"São João {run}")
    drafts: list[_Draft] = []
    for number in range(draw(st.integers(1, max_versions))):
        store = draw(st.sampled_from(stores[:1] * 3 + stores[1:]))
        kind = draw(st.integers(0, 11))
        if kind == 0 and drafts:
            drafts.append(draw(st.sampled_from(drafts)))  # the same bytes put once more
        elif kind < 8:
            former = drafts if sends_again else []
            sent = [r for d in former if d.source.holds_checks for r in d.records]
            drafts.append(_check_document(draw, number, store, run, sent))
        else:
            answer = _list_document(draw, number, store, run)
            drafts.append(_sent_again(draw, answer, drafts if sends_again else []))
    if draw(st.integers(0, 3)) == 0:
        for move in draw(st.lists(_moves(), min_size=2, max_size=4)):
            _add_move(draw, drafts, stores[0], run, move)
    versions = _written(draw, drafts)
    return History(versions, draw(_deliveries(versions)))


@st.composite
def _deliveries(
    draw: st.DrawFn, versions: tuple[Version, ...]
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    count = len(versions)
    again = draw(st.lists(st.integers(0, count - 1), max_size=count))
    order = draw(st.permutations([*range(count), *again]))
    batches = []
    while order:
        size = draw(st.integers(1, 4))
        batch, order = order[:size], order[size:]
        # As the loader does it: an object version is only once in a batch.
        once = {versions[number].fetched.identity.key: number for number in reversed(batch)}
        order = [*(number for number in batch if number not in once.values()), *order]
        batches.append((draw(st.integers(0, 1)), tuple(reversed(once.values()))))
    return tuple(batches)


def _check_document(
    draw: st.DrawFn, number: int, store: str, run: str, sent: list[dict[str, Any]]
) -> _Draft:
    ids = draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
    records = [draw(check_records(check_id, SHARED_LINES)) for check_id in ids]
    if sent and draw(st.booleans()):
        # Most answers send again what former ones have sent.
        records = [draw(st.sampled_from([*sent, record])) for record in records]
    return _checks(draw, number, store, run, records)


def _checks(
    draw: st.DrawFn, number: int, store: str, run: str, records: list[dict[str, Any]]
) -> _Draft:
    source = draw(st.sampled_from([Source.ERP, Source.GUEST_CHECKS]))
    written: list[Any] = list(records)
    if draw(st.integers(0, 3)) == 0:
        written = [under_other_names(record) for record in records]
    if draw(st.integers(0, 4)) == 0:
        bad = {**draw(check_records(1)), "gstCnt": BAD_VALUE}
        written.insert(draw(st.integers(0, len(written))), draw(st.sampled_from([bad, None, 7])))
    store_field = draw(st.sampled_from(["locRef", "storeId"]))
    document: dict[str, Any] = {store_field: store, "guestChecks": written}
    key = draw(st.sampled_from([f"raw/{run}/same.json", f"raw/{run}/{number}.json"]))
    day, as_of = draw(st.sampled_from(DAYS)), _as_of(draw, document)
    return _Draft(source, store, day, key, number, document, as_of, tuple(records))


def _list_document(draw: st.DrawFn, number: int, store: str, run: str) -> _Draft:
    source = Source(draw(st.sampled_from(sorted(LISTS)[:2] + sorted(LISTS)[2:] * 2)))
    records = draw(st.lists(list_records(source.value), max_size=4))
    written: list[Any] = list(records)
    bad_ids: list[str | None] = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        bad, bad_id = draw(bad_rows(source.value))
        written.insert(draw(st.integers(0, len(written))), bad)
        bad_ids.append(bad_id)
    document: dict[str, Any] = {"storeId": store, "busDt": DAYS[0].isoformat()}
    if written or draw(st.booleans()):
        document[source.entry.list_field] = written or draw(st.sampled_from([[], None]))
    as_of = _as_of(draw, document)
    key = draw(st.sampled_from([f"raw/{run}/list.json", f"raw/{run}/{number}.json"]))
    return _Draft(
        source, store, DAYS[0], key, number, document, as_of, tuple(records), tuple(bad_ids)
    )


def _sent_again(draw: st.DrawFn, answer: _Draft, drafts: list[_Draft]) -> _Draft:
    """Let an answer, now and then, hold the list of a former one."""
    own = answer.source.entry.list_field
    lists = [one for one in drafts if one.source is answer.source and own in one.written]
    if not lists or draw(st.integers(0, 3)):
        return answer
    former = draw(st.sampled_from(lists))
    written = answer.written | {own: former.written[own]}
    return replace(answer, written=written, records=former.records, bad_ids=former.bad_ids)


def _as_of(draw: st.DrawFn, document: dict[str, Any]) -> datetime | None:
    if draw(st.booleans()):
        return None
    as_of = START + timedelta(seconds=draw(st.integers(0, 3)))
    if draw(st.integers(0, 5)) == 0:
        as_of = draw(st.sampled_from(FUTURE))
    document["curUTC"] = as_of.replace(tzinfo=None).isoformat()
    return as_of


def _written(draw: st.DrawFn, drafts: list[_Draft]) -> tuple[Version, ...]:
    """Write the drafts one after the other; a bucket has versions for all of them or none."""
    versioned = draw(st.booleans())
    events = _events(draw, drafts)
    versions = []
    for number, (draft, announced) in enumerate(zip(drafts, events, strict=True)):
        version_id = f"v{number}" if versioned else None
        event = replace(announced, version_id=draw(st.sampled_from([None, version_id])))
        # S3's LastModified has whole seconds, so that neighbours tie there.
        modified = START + timedelta(seconds=number // 2)
        etag = f"etag-{draft.content}"
        identity = Identity(event, version_id, etag, modified, START, 1)
        place = (
            ErpKey() if draft.source is Source.ERP else ApiKey(draft.source, draft.day, draft.store)
        )
        fetched = Fetched(identity, draft.source, place, json_bytes(draft.written))
        put = Put(
            draft.source.value,
            draft.store,
            draft.day,
            draft.as_of or modified,
            number,
            draft.records,
            draft.bad_ids,
            modified + timedelta(minutes=10),
        )
        versions.append(Version(fetched, put))
    return tuple(versions)


def _events(draw: st.DrawFn, drafts: list[_Draft]) -> list[ObjectEvent]:
    """Announce the writes, half a second apart.

    Within a key the sequencers tell their order, also where the times contradict them; without
    sequencers, or with a constant one, the times do, and always between keys.
    """
    constant = draw(st.integers(0, 3)) == 0
    times = [START + timedelta(seconds=number / 2) for number in range(len(drafts))]
    contradicting = set()
    for _, run in groupby(range(len(drafts)), key=lambda number: drafts[number].key):
        numbers = list(run)
        if len(numbers) > 1 and not constant and draw(st.booleans()):
            shuffled = draw(st.permutations([times[number] for number in numbers]))
            times[numbers[0] : numbers[-1] + 1] = shuffled
            contradicting.update(numbers)
    events = []
    for number, draft in enumerate(drafts):
        time, sequencer = times[number], f"{number + 16:04X}"
        if constant:
            sequencer = CONSTANT_SEQUENCER
        event = ObjectEvent(
            "lake",
            draft.key,
            "ObjectCreated:Put",
            event_time=time,
            # The shorter one counts as padded with zeros; hexadecimal digits have no case.
            sequencer=draw(st.sampled_from([sequencer, sequencer.rstrip("0"), sequencer.lower()])),
        )
        if number not in contradicting and draw(st.integers(0, 3)) == 0:
            event = replace(event, sequencer=None)
        if number not in contradicting and number % 2 == 0 and draw(st.integers(0, 3)) == 0:
            event = replace(event, event_time=None)  # LastModified says the same
        events.append(event)
    return events


@st.composite
def _moves(draw: st.DrawFn) -> tuple[int | None, bool]:
    return draw(st.sampled_from([7, 8, None])), draw(st.booleans())


def _add_move(
    draw: st.DrawFn, drafts: list[_Draft], store: str, run: str, move: tuple[int | None, bool]
) -> None:
    """Move a line to another check, or away: both checks get a version newer than any before."""
    owner, together = move
    age = len(drafts)
    first, second = draw(st.permutations([7, 8]))
    records = []
    for order, check_id in enumerate((first, second)):
        line = {"guestCheckLineItemId": 99, "dspTtl": age, "menuItem": {"miNum": 1}}
        time = f"2024-01-01T{11 + age // 30}:{age % 30 * 2 + order:02}:00"
        lines = [line] if check_id == owner else []
        records.append({"guestCheckId": check_id, "lastUpdatedUTC": time, "detailLines": lines})
    for written in [records] if together else [[record] for record in records]:
        drafts.append(_checks(draw, len(drafts), store, run, written))
