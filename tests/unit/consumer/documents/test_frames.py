"""What makes a document one of ours, whose it is and as of when."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest

from consumer.documents.frames import DocumentInvalid, Frame, open_document
from schemas.aliases import load_aliases
from schemas.codes import ErrorCode
from schemas.key_templates import TemplateKey
from schemas.keys import ApiKey, ErpKey
from schemas.registry import Source

ALIASES = load_aliases()
DAY = date(2024, 1, 1)
STORE = "99 CB CB"
API_SOURCES = [source for source in Source if source is not Source.ERP]


def opened(
    root: Any, source: Source = Source.TRANSACTIONS, store: str = STORE
) -> tuple[Frame, list[Any]]:
    key = ErpKey() if source is Source.ERP else ApiKey(source, DAY, store)
    return open_document(root, source, key, ALIASES)


def refusal(root: Any, source: Source = Source.TRANSACTIONS, store: str = STORE) -> DocumentInvalid:
    with pytest.raises(DocumentInvalid) as refused:
        opened(root, source, store)
    return refused.value


@pytest.mark.parametrize("source", API_SOURCES)
@pytest.mark.parametrize("name", ["storeId", "locRef"])
def test_store_day_and_records_of_every_endpoint_are_found(source: Source, name: str) -> None:
    root = {name: STORE, "busDt": "2024-01-01", source.entry.list_field: [1, 2]}
    frame, rows = opened(root, source)
    assert (source, STORE, DAY, None, {}) == (
        frame.source,
        frame.store_id,
        frame.bus_dt,
        frame.as_of,
        frame.extra,
    )
    assert [1, 2] == rows


@pytest.mark.parametrize("source", API_SOURCES)
@pytest.mark.parametrize("rows", [{}, {"list": None}, {"list": []}])
def test_an_empty_list_null_or_no_list_is_an_empty_day(source: Source, rows: Any) -> None:
    root = {"storeId": STORE, "busDt": "2024-01-01"}
    root |= dict.fromkeys([source.entry.list_field] * len(rows), *rows.values())
    assert [] == opened(root, source)[1]


def test_what_the_document_leaves_out_comes_from_the_key() -> None:
    frame, _ = opened({"curUTC": "2024-01-02T03:04:05", "transactions": []}, store="001")
    assert ("001", DAY) == (frame.store_id, frame.bus_dt)


def test_an_export_needs_to_name_its_store() -> None:
    assert STORE == opened({"locRef": STORE, "guestChecks": []}, Source.ERP)[0].store_id
    refused = refusal({"guestChecks": []}, Source.ERP)
    assert ErrorCode.SCHEMA_INVALID == refused.code
    assert "storeId (or locRef) is missing" in str(refused)


@pytest.mark.parametrize(
    ("key_store", "key_day", "root"),
    [
        ("001", DAY, {}),
        ("001", DAY, {"storeId": " 001 ", "busDt": "2024-01-01"}),
        (None, DAY, {"locRef": "001"}),
        ("001", None, {"busDt": "2024-01-01"}),
        (None, None, {"storeId": "001", "busDt": "2024-01-01"}),
    ],
)
def test_what_a_key_of_another_layout_does_not_name_the_document_names(
    key_store: str | None, key_day: date | None, root: dict[str, Any]
) -> None:
    key = TemplateKey(Source.TRANSACTIONS, key_day, key_store)
    frame, _ = open_document(root | {"transactions": []}, Source.TRANSACTIONS, key, ALIASES)
    assert (frame.store_id, frame.bus_dt) == ("001", DAY)


@pytest.mark.parametrize(
    ("key_store", "key_day", "root", "said"),
    [
        (None, DAY, {"curUTC": None}, "storeId (or locRef) is missing, and the key names no store"),
        ("001", None, {"storeId": "001"}, "busDt is missing, and the key names no day"),
        ("001", DAY, {"storeId": "002"}, "says store '002', its key says '001'; correct the"),
        ("001", DAY, {"busDt": "2024-01-02"}, "or store it under the right key"),
    ],
)
def test_an_identity_that_nobody_names_or_two_name_differently_is_refused(
    key_store: str | None, key_day: date | None, root: dict[str, Any], said: str
) -> None:
    key = TemplateKey(Source.TRANSACTIONS, key_day, key_store)
    with pytest.raises(DocumentInvalid) as refused:
        open_document(root | {"transactions": []}, Source.TRANSACTIONS, key, ALIASES)
    assert said in str(refused.value)


def test_checks_need_no_day() -> None:
    key = TemplateKey(Source.GUEST_CHECKS, None, "001")
    frame, _ = open_document({"guestChecks": []}, Source.GUEST_CHECKS, key, ALIASES)
    assert (frame.store_id, frame.bus_dt) == ("001", None)


@pytest.mark.parametrize(
    ("in_document", "in_key"), [(" 99 CB CB ", "99 CB CB"), ("001", " 001 "), (7, "7")]
)
def test_stores_are_compared_after_trimming(in_document: Any, in_key: str) -> None:
    frame, _ = opened({"storeId": in_document, "transactions": []}, store=in_key)
    assert in_key.strip() == frame.store_id


@pytest.mark.parametrize("in_document", ["99 CB C", "99 cb cb", "1", "099 CB CB"])
def test_another_store_than_the_key_s_is_a_mismatch(in_document: str) -> None:
    refused = refusal({"storeId": in_document, "transactions": []})
    assert ErrorCode.IDENTITY_MISMATCH == refused.code
    assert in_document in str(refused)
    assert STORE in str(refused)


def test_leading_zeros_tell_stores_apart() -> None:
    refused = refusal({"storeId": "1", "transactions": []}, store="001")
    assert ErrorCode.IDENTITY_MISMATCH == refused.code


def test_another_day_than_the_key_s_is_a_mismatch() -> None:
    refused = refusal({"busDt": "2024-01-02", "transactions": []})
    assert ErrorCode.IDENTITY_MISMATCH == refused.code


@pytest.mark.parametrize("root", [{"storeId": "X"}, {"busDt": "2024-01-02"}])
def test_a_mismatch_of_an_answer_says_how_to_pull_it_again(root: dict[str, Any]) -> None:
    """Replaying it cannot help: the ERP answered with another store or day."""
    refused = refusal(root | {"transactions": []}, store="99 CB's")
    assert str(refused).endswith(
        "producer pull --force --from 2024-01-01 --to 2024-01-01 --store '99 CB'\"'\"'s' "
        "--endpoint getTransactions"
    )


def test_a_part_of_a_day_is_refused_with_the_remedy() -> None:
    """Taken for the day, it would remove every row of the other pages."""
    root = {"storeId": STORE, "transactions": [{"amount": 1}], "hasMore": True, "next": "/2"}
    refused = refusal(root)
    assert ErrorCode.SCHEMA_INVALID == refused.code
    assert "only a part, as next says; pull the day again: producer pull --force" in str(refused)
    refused = refusal({"locRef": STORE, "guestChecks": [], "hasMore": True}, Source.ERP)
    assert str(refused) == "the document is only a part, as hasMore says; export the whole day"


def test_days_are_compared_as_days() -> None:
    assert DAY == opened({"busDt": "2024-01-01T00:00:00", "transactions": []})[0].bus_dt


@pytest.mark.parametrize(
    ("text", "as_of"),
    [
        ("2024-01-02T03:04:05", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (
            "2024-01-02T03:04:05-03:00",
            datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-3))),
        ),
        (None, None),
    ],
)
def test_curutc_is_utc_unless_it_says_otherwise(text: str | None, as_of: datetime | None) -> None:
    assert as_of == opened({"curUTC": text, "transactions": []})[0].as_of


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(["storeId", "busDt", "curUTC"], [{}, [], True]),
        *product(["busDt", "curUTC"], ["no such time", "2024-02-30", 0]),
    ],
)
def test_a_root_field_of_another_type_refuses_the_document(name: str, value: Any) -> None:
    refused = refusal({name: value, "transactions": []})
    assert ErrorCode.SCHEMA_INVALID == refused.code
    assert [name] == [error.location for error in refused.errors]


@pytest.mark.parametrize(
    ("root", "said"),
    [
        (None, "the document is null"),
        ([], "the document is a list of 0, expected an object with transactions"),
        ("text", "the document is str"),
        (7, "the document is int"),
        ({}, "not a document of ours"),
        ({"anything": 1}, "not a document of ours"),
        ({"transactions": {}}, "transactions is dict"),
        ({"transactions": "none"}, "transactions is str"),
        (
            {"type": "about:blank", "title": "Too many requests", "status": 429, "detail": ""},
            "error answer of the ERP",
        ),
        ({"title": "x", "detail": "y", "storeId": STORE}, "ERP (title is 'x', detail is 'y')"),
        ({"error": "unauthorised"}, "error answer of the ERP (error is 'unauthorised'); pull or"),
        ({"status": 503, "storeId": STORE}, "error answer of the ERP (status is 503)"),
        ({"error": {"code": 7}, "storeId": STORE, "busDt": "2024-01-01"}, "error answer"),
        ({"storeId": STORE, "guestChecks": []}, "the document holds guestChecks"),
        ({"storeId": STORE, "fiscalInvoices": [{}]}, "the document holds fiscalInvoices"),
        ({"storeId": STORE, "movements": [{}]}, "unknown fields are filled ('movements')"),
    ],
)
def test_json_that_is_not_this_source_s_frame_is_refused_with_the_remedy(
    root: Any, said: str
) -> None:
    """It must not pass for an empty day, or a full day would be marked removed."""
    refused = refusal(root)
    assert ErrorCode.SCHEMA_INVALID == refused.code
    assert said in str(refused)


def test_an_unknown_empty_list_beside_a_missing_one_is_an_empty_day() -> None:
    assert [] == opened({"storeId": STORE, "warnings": []})[1]


def test_a_renamed_root_list_is_found_under_its_alias() -> None:
    aliases = load_aliases('[getTransactions]\ntransactions = ["movements"]')
    key = ApiKey(Source.TRANSACTIONS, DAY, STORE)
    frame, rows = open_document({"movements": [1]}, Source.TRANSACTIONS, key, aliases)
    assert ([1], {}) == (rows, frame.extra)


def test_two_names_with_two_stores_are_ambiguous() -> None:
    refused = refusal({"storeId": STORE, "locRef": "other", "transactions": []})
    assert ErrorCode.AMBIGUOUS_FIELD == refused.code
    assert f"with different values: {STORE!r} and 'other'; correct it" in str(refused)
    assert ["storeId"] == [found.location for found in refused.errors]


def test_the_root_is_handed_on_without_its_records() -> None:
    """Drift looks at it long after the records are gone."""
    root = {"storeId": STORE, "busDt": "2024-01-01", "hasMore": False}
    for rows, kept in (([1, 2], []), ([], []), (None, None)):
        frame, _ = opened({**root, "transactions": rows})
        assert {**root, "transactions": kept} == frame.root
        assert {"hasMore": False} == frame.extra
    empty_day = {"storeId": STORE, "busDt": "2024-01-01"}
    assert empty_day == opened(empty_day.copy())[0].root


@pytest.mark.parametrize(
    ("root", "drifted"),
    [
        ({"curUTC": 7, "transactions": []}, True),
        ({"transactions": {}}, True),
        ({"storeId": STORE, "movements": [{}]}, True),
        ({"storeId": "another", "transactions": []}, False),
        ({"error": "unauthorised"}, False),
        ({"storeId": STORE, "fiscalInvoices": [{}]}, False),
    ],
)
def test_a_root_that_is_refused_for_what_changed_is_handed_on(
    root: dict[str, Any], *, drifted: bool
) -> None:
    """An error answer or somebody else's document is no drift."""
    assert drifted == (refusal(root).drifted is not None)


def test_a_store_of_more_characters_than_a_key_can_hold_is_refused() -> None:
    assert "s" * 200 == opened({"storeId": "s" * 200}, store="s" * 200)[0].store_id
    assert ErrorCode.SCHEMA_INVALID == refusal({"storeId": "s" * 201}, store="s" * 201).code
