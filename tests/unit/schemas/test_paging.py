"""An answer that is only a part says so in many ways."""

from typing import Any

import pytest

from schemas.paging import More, find_more, find_total, is_paging_field


@pytest.mark.parametrize(
    ("root", "more"),
    [
        ({"hasMore": True}, More("hasMore")),
        ({"has_more": "true"}, More("has_more")),
        ({"IsTruncated": True, "NextToken": "abc"}, More("IsTruncated")),
        ({"nextPageToken": "abc"}, More("nextPageToken")),
        ({"next": 2}, More("next")),
        ({"next": "abc"}, More("next")),
        ({"hasMore": True, "next": "/a?page=2"}, More("next", "/a?page=2")),
        ({"@odata.nextLink": "https://x/a"}, More("@odata.nextLink", "https://x/a")),
        ({"_links": {"next": {"href": "/a"}}}, More("_links.next", "/a")),
        (
            {
                "hasMore": True,
                "links": [{"rel": "self", "href": "/"}, {"rel": "next", "href": "?o=2"}],
            },
            More("links.next", "?o=2"),
        ),
        ({"paging": {"totalPages": "3"}}, More("paging.totalPages", page_count=3)),
        ({"totalPages": 3, "hasMore": True}, More("hasMore")),
    ],
)
def test_a_part_is_recognised(root: dict[str, Any], more: More) -> None:
    assert find_more({"storeId": "1", "transactions": [{"next": "x"}]} | root) == more


@pytest.mark.parametrize(
    "root",
    [
        {},
        {"hasMore": False, "next": None, "nextPageToken": ""},
        {"hasMore": "false", "totalPages": 1, "page": 1, "totalCount": 500},
        {"links": [{"rel": "self", "href": "/"}, "odd"], "paging": {"next": None}, "meta": None},
        {"nextBusDt": "2024-01-02", "moreover": True},
    ],
)
def test_a_whole_answer_is_one(root: dict[str, Any]) -> None:
    assert find_more({"storeId": "1", "transactions": [{"next": "x"}]} | root) is None


@pytest.mark.parametrize(
    ("root", "total"),
    [
        ({"totalCount": 7}, 7),
        ({"paging": {"total": "7"}}, 7),
        ({"total": 1200}, None),  # an amount, perhaps
        ({"totalCount": "many"}, None),
    ],
)
def test_how_many_records_an_answer_has_is_read_where_it_is_certain(
    root: dict[str, Any], total: int | None
) -> None:
    assert find_total({"storeId": "1"} | root) == total


def test_fields_of_the_document_are_no_paging_fields() -> None:
    fields = (
        "storeId",
        "locRef",
        "busDt",
        "curUTC",
        "guestChecks",
        "transactions",
        "fiscalInvoices",
    )
    assert not [name for name in fields if is_paging_field(name)]
