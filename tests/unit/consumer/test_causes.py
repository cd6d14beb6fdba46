"""Causes: what has one remedy has one cause, whatever the day, the store or the values."""

import pytest

from consumer.causes import cause_of, cause_of_records
from consumer.documents.quarantine import Quarantined
from consumer.errors import ConsumerError, Internal, Permanent, RecordError, StorageUnavailable
from schemas.codes import ErrorCode

RULE = "required: expected an integer of at most 64 bits, or the same in quotes"


def bad(position: int, location: str = "taxes[2].taxNum", rule: str = RULE) -> Quarantined:
    problem = RecordError(location, rule, f"'value {position}'")
    path = f"guestChecks[{position}]"
    return Quarantined(path, str(position), ErrorCode.RECORDS_INVALID, (problem,))


def test_records_that_lack_a_field_have_one_cause_on_every_day() -> None:
    days = [cause_of_records([bad(day), bad(2 * day)], "getGuestChecks") for day in range(20)]
    [cause] = set(days)
    assert ("guestChecks.taxes.taxNum", RULE) == (cause.location, cause.problem)
    assert (12, cause.id) == (len(cause.id), days[7].id)
    others = [
        cause_of_records([bad(1)], "erp"),
        cause_of_records([bad(1, "chkNum")], "getGuestChecks"),
        cause_of_records([bad(1, rule="expected a list")], "getGuestChecks"),
    ]
    assert 4 == len({cause.id, *(other.id for other in others)})


def test_a_document_has_the_cause_that_most_of_its_records_share() -> None:
    records = [bad(1, "a"), bad(2, "b"), bad(3, "b")]
    assert "guestChecks.b" == cause_of_records(records, "erp").location
    assert "guestChecks.a" == cause_of_records(records[:2], "erp").location


@pytest.mark.parametrize(
    ("one", "other", "problem"),
    [
        (
            Permanent(ErrorCode.JSON_MALFORMED, "expected a value at line 3 column 12; fix it"),
            Permanent(ErrorCode.JSON_MALFORMED, "expected a value at line 99 column 1; fix it"),
            "expected a value at line N column N",
        ),
        (
            Permanent(ErrorCode.IDENTITY_MISMATCH, "it says store '00;1', its key says 'b'; x"),
            Permanent(ErrorCode.IDENTITY_MISMATCH, "it says store '7', its key says 'a'; x"),
            "it says store …, its key says …",
        ),
        (
            Permanent(ErrorCode.OBJECT_MISSING, "reading s3://lake/a: not found"),
            Permanent(ErrorCode.OBJECT_MISSING, "reading s3://lake/b: not found"),
            "",
        ),
        (StorageUnavailable("one"), StorageUnavailable("other"), ""),
        (Internal.of(KeyError("a")), Internal.of(KeyError("b")), "KeyError"),
    ],
)
def test_of_a_whole_document_the_message_counts_without_its_values(
    one: ConsumerError, other: ConsumerError, problem: str
) -> None:
    [cause] = {cause_of(one, "erp"), cause_of(other, "erp")}
    assert problem == cause.problem
    assert cause_of(one, None).source == "unknown"


def test_a_document_whose_root_is_wrong_names_the_place() -> None:
    error = Permanent(ErrorCode.SCHEMA_INVALID, "…", (RecordError("curUTC", "a time", "'x'"),))
    cause = cause_of(error, "erp")
    assert ("curUTC", "a time") == (cause.location, cause.problem)


def test_no_text_of_a_document_is_too_long_or_too_odd_for_the_table() -> None:
    error = Permanent(ErrorCode.EVENT_MALFORMED, "\0\ud800\n" + "x" * 9999)
    problem = cause_of(error, None).problem
    assert ("?? x", 200) == (problem[:4], len(problem))
    assert cause_of(error, None).id
