"""Lines that two checks name: each check has a line of its own."""

from typing import Any

from consumer.load.document import StagedDocument
from tests.support.loading import load, load_in_every_order
from tests.support.samples import STORE, checks, full_check, staged
from tests.support.warehouse import Warehouse


def version(check_id: int, number: int, *amounts: int) -> dict[str, Any]:
    """Write a version of a check that names line 9, or with no amount does not."""
    lines = [{"guestCheckLineItemId": 9, "dspTtl": amount} for amount in amounts]
    return full_check(check_id, number, detailLines=lines)


def assert_rows_in_every_order(
    warehouse: Warehouse, documents: list[Any], expected: list[tuple[int, int]]
) -> None:
    """Expect (check, amount) of the live lines, whatever comes first and in how many batches."""

    def write(number: int, store: str) -> StagedDocument:
        document = checks(documents[number], store=store, curUTC=f"2024-06-01T00:00:0{number}")
        return staged(document, number=number, key=f"raw/erp/{store}-{number}.json")

    for store in load_in_every_order(warehouse, len(documents), write):
        rows = warehouse.rows("detail_lines", [store])
        assert expected == [(row["guest_check_id"], row["dsp_ttl"]) for row in rows], store


def test_a_line_that_two_checks_name_is_a_row_of_each(warehouse: Warehouse) -> None:
    documents = [version(1, 1, 11), version(2, 2, 22), version(1, 3, 13)]
    assert_rows_in_every_order(warehouse, documents, [(1, 13), (2, 22)])


def test_a_check_that_no_longer_names_a_line_takes_it_from_no_other(warehouse: Warehouse) -> None:
    """A transfer: whichever of the two checks is told of first."""
    documents = [version(1, 1, 11), version(2, 2, 22), version(1, 3)]
    assert_rows_in_every_order(warehouse, documents, [(2, 22)])


def test_a_partial_document_touches_the_line_of_its_check_alone(warehouse: Warehouse) -> None:
    partial = {"guestCheckId": 1, "detailLines": [{"guestCheckLineItemId": 9, "dspTtl": 5}]}
    documents = [version(1, 1, 11), version(2, 2, 22), partial]
    assert_rows_in_every_order(warehouse, documents, [(1, 5), (2, 22)])


def test_two_checks_of_one_document_may_name_one_line(warehouse: Warehouse) -> None:
    load(warehouse, checks(version(1, 1, 11), version(2, 1, 21)))
    amounts = [row["dsp_ttl"] for row in warehouse.rows("detail_lines")]
    assert [11, 21] == amounts


def test_a_line_of_two_checks_is_not_rewritten_when_either_comes_again(
    warehouse: Warehouse,
) -> None:
    for number in (1, 2):
        load(warehouse, checks(version(number, number, 5)), key=f"raw/erp/{number}.json")
    versions = warehouse.versions([STORE])
    load(warehouse, checks(version(1, 1, 5)), key="raw/erp/1.json")
    assert versions == warehouse.versions([STORE])
