"""What stands in the tables is not read again; whatever could make that wrong is read in full."""

from typing import Any

import pytest

from consumer.ingest.prepare import open_unread
from consumer.load.document import ChangedMeanwhile
from schemas.aliases import load_aliases
from schemas.codes import State
from schemas.registry import Source
from tests.support.delta import preparation, prepare_delta
from tests.support.loading import column
from tests.support.samples import (
    ALIASES,
    NO_LIMIT,
    STORE,
    checks,
    fetched,
    full_check,
    usual_check,
)
from tests.support.warehouse import Warehouse

A, B = usual_check(1, tblName="A"), usual_check(1, tblName="B")


class Answers:
    """Loads answers one after the other; says how many checks of each were not read."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.states: list[State] = []

    def load(
        self, *records: Any, number: int, as_of: int | None = None, aliases: Any = ALIASES
    ) -> int:
        """Load an answer as the `number`th object, as of some minute after ten."""
        root = {} if as_of is None else {"curUTC": f"2024-01-01T10:{as_of:02}:00"}
        found = fetched(
            checks(*records, **root), Source.GUEST_CHECKS, key=f"raw/{number}.json", number=number
        )
        document = prepare_delta(self.warehouse, found, aliases).document
        self.states.append(self.warehouse.load(document)[document.number])
        return document.unchanged_count

    def names(self) -> list[Any]:
        """Return what the tables say the checks are called."""
        return column(self.warehouse, "guest_checks", "tbl_name")


@pytest.fixture
def answers(warehouse: Warehouse) -> Answers:
    return Answers(warehouse)


def test_an_unchanged_check_is_not_read_but_dated(answers: Answers) -> None:
    """The ledger counts it; no row but its header's is touched."""
    warehouse = answers.warehouse
    assert 0 == answers.load(A, usual_check(2), number=1, as_of=1)
    before = warehouse.versions([STORE])
    assert 1 == answers.load(A, usual_check(2, tblName="new"), number=2, as_of=2)
    after = warehouse.versions([STORE])
    for table in ("taxes", "detail_lines", "menu_items"):
        assert before[table] == after[table], table
    dates = warehouse.query("SELECT DISTINCT as_of::text FROM guest_checks")
    assert [{"as_of": "2024-01-01 10:02:00+00"}] == dates
    ledger = warehouse.query("SELECT records, state FROM ingested_objects ORDER BY object_id")
    assert [{"records": 2, "state": "loaded"}] * 2 == ledger


def test_a_check_that_flips_and_flips_back_out_of_order_ends_as_the_newest_says(
    answers: Answers,
) -> None:
    """A at one, B at two, A at three; B comes last, and must not win over the A of three."""
    answers.load(A, number=1, as_of=1)
    assert 1 == answers.load(A, number=3, as_of=3)
    assert 0 == answers.load(B, number=2, as_of=2)
    assert ["A"] == answers.names()
    assert State.SUPERSEDED is answers.states[-1]


def test_an_unchanged_check_of_an_older_answer_dates_nothing(answers: Answers) -> None:
    answers.load(A, number=1, as_of=1)
    answers.load(A, number=3, as_of=3)
    assert 1 == answers.load(A, number=2, as_of=2)
    assert [State.LOADED, State.LOADED, State.SUPERSEDED] == answers.states
    answers.load({"guestCheckId": 1, "tblName": "late"}, number=4, as_of=2)
    assert ["A"] == answers.names()


def test_an_unchanged_check_outranks_a_late_partial_document(answers: Answers) -> None:
    """The partial one is older than the answer that sent the check unchanged."""
    answers.load(A, number=1, as_of=1)
    assert 1 == answers.load(A, number=3, as_of=3)
    answers.load({"guestCheckId": 1, "tblName": "late"}, number=2, as_of=2)
    assert ["A"] == answers.names()


def test_a_check_with_partial_documents_is_always_read(answers: Answers) -> None:
    answers.load(A, number=1, as_of=1)
    answers.load({"guestCheckId": 1, "tblName": "patched"}, number=2, as_of=2)
    assert 0 == answers.load(A, number=3, as_of=3)
    assert ["A"] == answers.names()


def test_ids_that_come_twice_are_always_read(answers: Answers) -> None:
    answers.load(A, usual_check(2), number=1)
    newer = full_check(1, version=5, tblName="newer")
    assert 0 == answers.load(A, newer, usual_check(2), number=2)
    assert ["newer", None] == answers.names()


def test_an_id_that_comes_twice_under_another_name_is_found_when_the_others_are_read(
    answers: Answers,
) -> None:
    """Without reading a record, an id under another name, or in quotes, is not seen."""
    newer = full_check(1, version=5, tblName="newer") | {"guestCheckId": "1"}
    answers.load(A, number=1)
    assert 0 == answers.load(A, newer, number=2)
    assert ["newer"] == answers.names()


def test_what_was_quarantined_is_read_again_and_loads_once_it_is_mended(answers: Answers) -> None:
    """As the same object, replayed, and with other renames, which read everything anew."""
    bad = {"checkNumber" if key == "guestCheckId" else key: value for key, value in B.items()}
    mended = load_aliases('[getGuestChecks]\n"guestChecks.guestCheckId" = ["checkNumber"]')
    good = usual_check(2, tblName="good")
    answers.load(good, number=1)
    answers.load(good, bad, number=2)
    assert 0 == answers.load(good, bad, number=2, aliases=mended)
    assert ["B", "good"] == answers.names()
    assert [State.LOADED, State.DEAD_LETTERED, State.LOADED] == answers.states


def test_another_alias_file_reads_everything_again(answers: Answers) -> None:
    """What it renames was not known when the check was loaded."""
    table = without_name(A) | {"table": "renamed"}
    renames = load_aliases('[getGuestChecks]\n"guestChecks.tblName" = ["table"]')
    others = load_aliases('[getTransactions]\n"transactions.type" = ["kind"]')
    answers.load(table, number=1, as_of=1)
    assert 1 == answers.load(table, number=2, as_of=2, aliases=others)
    assert 0 == answers.load(table, number=3, as_of=3, aliases=renames)
    assert ["renamed"] == answers.names()


def test_an_object_version_that_was_loaded_before_is_read_in_full(answers: Answers) -> None:
    """What was found in it is found again."""
    record = usual_check(1, somethingNew=1)
    answers.load(record, number=1)
    found = answers.warehouse.query("SELECT * FROM object_findings")
    assert 0 == answers.load(record, number=1)
    assert found == answers.warehouse.query("SELECT * FROM object_findings")


@pytest.mark.parametrize("change", [B, {"guestCheckId": 1, "tblName": "patched"}])
def test_what_changed_after_it_was_asked_for_is_noticed_under_the_lock(
    answers: Answers, change: dict[str, Any]
) -> None:
    """Between the question and the load another document changed the check, or patched it."""
    answers.load(A, number=1, as_of=1)
    written = checks(A, curUTC="2024-01-01T10:09:00")
    found = fetched(written, Source.GUEST_CHECKS, key="raw/later.json", number=9)
    document = prepare_delta(answers.warehouse, found).document
    assert 1 == document.unchanged_count
    answers.load(change, number=2, as_of=2)
    with pytest.raises(ChangedMeanwhile) as changed:
        answers.warehouse.load(document)
    assert {document.number} == changed.value.numbers
    assert 0 == prepare_delta(answers.warehouse, found).document.unchanged_count


def test_what_a_release_without_digests_wrote_is_read(answers: Answers) -> None:
    """During a deployment it writes rows and leaves the digests of what they said before."""
    answers.load(A, number=1, as_of=1)
    answers.load(B, number=2, as_of=2)
    # As the older release would have written B over A.
    answers.warehouse.query(
        "UPDATE guest_checks SET digest_object_id = digest_object_id - 1 RETURNING 1"
    )
    assert 0 == answers.load(B, number=3, as_of=3)
    assert 1 == answers.load(B, number=4, as_of=4)


def test_what_a_release_without_digests_writes_meanwhile_is_noticed_under_the_lock(
    answers: Answers,
) -> None:
    """It leaves the digest of what the check said before."""
    warehouse = answers.warehouse
    answers.load(A, number=1, as_of=1)
    again = fetched(checks(A), Source.GUEST_CHECKS, key="raw/later.json", number=9)
    unread = prepare_delta(warehouse, again).document
    assert 1 == unread.unchanged_count
    warehouse.query("UPDATE guest_checks SET digest_object_id = 0 RETURNING 1")
    with pytest.raises(ChangedMeanwhile):
        warehouse.load(unread)


def test_drift_is_counted_once_per_content(answers: Answers) -> None:
    """Counts of checks that were new come on top of those of the same day."""
    answers.load(usual_check(1), number=1, as_of=1)
    answers.load(usual_check(1), usual_check(2), number=2, as_of=2)
    answers.load(usual_check(1), usual_check(2), number=3, as_of=3)
    assert COUNTED_TWO == counted(answers.warehouse)
    answers.load(usual_check(1, tblName="new"), usual_check(2, tblName="new"), number=4, as_of=4)
    assert COUNTED_TWO == counted(answers.warehouse)


COUNTED_TWO = {"": 1, "guestChecks": 2}, (1, 2)


def counted(warehouse: Warehouse) -> tuple[dict[str, int], tuple[int, int]]:
    """Return the counts of roots and checks, and how many of each had a certain field."""
    [day] = warehouse.query("SELECT record_counts, field_counts FROM store_days")
    records = {level: count for level, count in day["record_counts"].items() if "." not in level}
    fields = day["field_counts"]
    return records, (fields["curUTC"], fields["guestChecks.subTtl"])


def test_findings_of_two_readings_at_once_are_those_of_the_full_one(answers: Answers) -> None:
    """Another consumer loaded the object version in full while this one left a check unread."""
    warehouse, record = answers.warehouse, usual_check(1, somethingNew=1)
    answers.load(record, number=1)
    again = fetched(checks(record, usual_check(2)), Source.GUEST_CHECKS, key="raw/2.json", number=2)
    unread = prepare_delta(warehouse, again).document
    assert 1 == unread.unchanged_count
    ready = preparation(warehouse.sessions[0])
    warehouse.load(warehouse.runner.run(ready.prepare(again, in_full=True)).document)
    found = warehouse.query("SELECT * FROM object_findings")
    warehouse.load(unread)
    assert found == warehouse.query("SELECT * FROM object_findings")


def without_name(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "tblName"}


@pytest.mark.parametrize(
    "text",
    [
        '{"locRef": "S", "guestChecks": [%s, %s], "guestChecks": [%s]}',
        '{"locRef": "S", "old": [%s], "guestChecks": [%s, %s]}',
        '{"locRef": "S", "guestChecks": [%s], "old": [%s, %s]}',
        '{"locRef": "S", "guestChecks": [%s], "old": [%s], "taxation": %s, "locRef": "T"}',
        '{"locRef": "S", "guestChecks": [%s, %s, %s] ',
    ],
)
def test_what_is_not_certainly_the_list_of_records_is_not_cut(text: str) -> None:
    """Neither a list that comes twice, nor the same records elsewhere, nor broken JSON."""
    record = '{"guestCheckId": 1, "lastUpdatedUTC": "2024-01-01T10:00:00"}'
    found = fetched((text % ((record,) * 3)).encode())
    opened = open_unread(found, ALIASES, NO_LIMIT)
    assert opened is None or b"old" in opened.cut.frame


def test_dating_checks_leaves_them_on_their_pages(answers: Answers) -> None:
    """Then no index is written: there is room for another version of every row of a page."""
    warehouse, records = answers.warehouse, [usual_check(number) for number in range(200)]
    pages = "SELECT guest_check_id, (ctid::text::point)[0] AS page FROM guest_checks ORDER BY 1"
    answers.load(*records, number=1, as_of=1)
    before = warehouse.query(pages)
    assert 200 == answers.load(*records, number=2, as_of=2)
    assert before == warehouse.query(pages)
    assert len({row["page"] for row in before}) > 1
