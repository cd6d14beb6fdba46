"""Lines that two checks claim: transfers, and contradictions that never end."""

from typing import Any

import pytest

from consumer.load.transaction import StagedDocument
from tests.support.loading import column, load, load_in_every_order
from tests.support.samples import STORE, checks, full_check, staged
from tests.support.warehouse import Warehouse


def test_a_line_may_move_to_another_check(warehouse: Warehouse) -> None:
    """Also when the check that it left is the one with the newer version."""
    line = {"guestCheckLineItemId": 9, "dspTtl": 1}
    load(warehouse, checks(full_check(1, 1, detailLines=[line]), full_check(2, 1)))
    load(warehouse, checks(full_check(2, 2, detailLines=[line]), full_check(1, 3)), number=1)
    assert [2] == column(warehouse, "detail_lines", "guest_check_id")


def test_an_older_version_of_the_check_that_a_line_left_does_not_take_it_back(
    warehouse: Warehouse,
) -> None:
    line = {"guestCheckLineItemId": 9, "dspTtl": 1}
    load(warehouse, checks(full_check(2, 2, detailLines=[line])), number=1)
    load(warehouse, checks(full_check(1, 1, detailLines=[line])))
    load(warehouse, checks(full_check(1, 3)), number=2)
    assert [2] == column(warehouse, "detail_lines", "guest_check_id")


LINE = {"guestCheckLineItemId": 9, "dspTtl": 1}
MOVE = {
    "before": full_check(1, 1, detailLines=[LINE]),
    "partial": {
        "guestCheckId": 1,
        "detailLines": [{"guestCheckLineItemId": 9, "refInfo1": "x"}],
    },
    "taken": full_check(2, 2, detailLines=[LINE]),
    "given": full_check(1, 3),
}


def test_a_line_that_a_partial_document_touched_may_move_to_another_check(
    warehouse: Warehouse,
) -> None:
    """Whatever comes first, and in one batch or in several."""

    def write(number: int, store: str) -> StagedDocument:
        name = list(MOVE)[number]
        document = checks(MOVE[name], store=store, curUTC=f"2024-06-01T00:00:0{number}")
        return staged(document, number=number, key=f"raw/erp/{store}-{name}.json")

    for store in load_in_every_order(warehouse, len(MOVE), write):
        rows = warehouse.rows("detail_lines", [store])
        assert [2] == [row["guest_check_id"] for row in rows], store


def claim(check_id: int, version: int, *amounts: int) -> dict[str, Any]:
    """Write a version of a check that claims line 9, or with no amount does not."""
    lines = [{"guestCheckLineItemId": 9, "dspTtl": amount} for amount in amounts]
    return full_check(check_id, version, detailLines=lines)


@pytest.mark.parametrize(
    ("documents", "holder"),
    [
        ([claim(1, 1, 11), claim(2, 2, 22)], (2, 22)),
        ([claim(1, 1, 11), claim(2, 2, 22), claim(1, 3, 13), claim(2, 4, 24)], (2, 24)),
        ([claim(1, 1, 11), claim(2, 2, 22), claim(2, 3)], (1, 11)),
        ([claim(1, 1, 11), claim(2, 2, 22), claim(3, 3, 33), claim(3, 4)], (2, 22)),
        ([claim(1, 1, 11), claim(2, 2, 22), claim(1, 3), claim(2, 4)], None),
        ([claim(1, 1, 11), claim(2, 1, 21)], (2, 21)),
        ([claim(1, 1, 11), claim(2, 2, 22), claim(1, 3, 13), claim(1, 4)], (2, 22)),
    ],
)
def test_of_the_checks_whose_newest_versions_claim_a_line_the_newest_holds_it(
    warehouse: Warehouse, documents: list[Any], holder: tuple[int, int] | None
) -> None:
    """Whatever comes first; who lets go gives it back. Of equal versions the larger id holds."""

    def write(number: int, store: str) -> StagedDocument:
        document = checks(documents[number], store=store, curUTC="2024-06-01T00:00:00")
        return staged(document, number=number, key=f"raw/erp/{store}-{number}.json")

    for store in load_in_every_order(warehouse, len(documents), write):
        rows = warehouse.rows("detail_lines", [store])
        found = [(row["guest_check_id"], row["dsp_ttl"]) for row in rows]
        assert ([holder] if holder else []) == found, store


def test_a_contested_line_is_not_rewritten_when_either_check_comes_again(
    warehouse: Warehouse,
) -> None:
    for _ in range(2):
        for number in (1, 2):
            load(warehouse, checks(claim(number, number, 5)), key=f"raw/erp/{number}.json")
        versions = warehouse.versions([STORE])
        load(warehouse, checks(claim(1, 1, 5)), key="raw/erp/1.json")
        assert versions == warehouse.versions([STORE])
    [claims] = warehouse.query("SELECT count(*) FROM line_claims")
    assert 1 == claims["count"]
