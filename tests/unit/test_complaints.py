"""What users of other ingestion systems complain about, and which tests show it not to happen here.

The systems and their issues: Redpanda Connect #1090, #3221, #4468, #4474; Vector #4910, #7437,
#19711; Beats #38961, #42040; OpenTelemetry Collector #45153; Data Prepper #1939; Celery #8875;
Wellcome Collection #6518; aiobotocore #1061.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent

COMPLAINTS = {
    "a lease is not extended while its message waits for a batch": (
        "test_a_message_that_waits_for_neighbours_is_nobody_else_s",
        "test_all_that_is_held_is_extended_ten_at_a_time",
        "test_long_work_keeps_its_message_invisible_to_others",
    ),
    "a message is deleted before its write is durable": (
        "test_a_message_is_kept_until_its_rows_are_committed",
        "test_a_message_is_deleted_only_after_its_work_is_done",
        "test_the_tables_are_right_and_nothing_is_left",
    ),
    "a message of several records is deleted though one of them failed": (
        "test_one_bad_record_of_a_message_does_not_take_the_others_along",
        "test_one_transient_failure_retries_the_whole_message_and_dead_letters_nothing_yet",
    ),
    "the second version of an overwritten object is dropped as a duplicate": (
        "test_the_second_version_of_an_overwritten_object_is_loaded_too",
        "test_a_second_version_of_one_key_with_a_constant_sequencer_is_loaded",
    ),
    "an object that is gone is retried for ever, or silently dropped": (
        "test_an_object_that_is_gone_is_dead_lettered_at_its_first_receive",
    ),
    "S3's test event crashes the consumer, or comes again and again": (
        "test_the_test_event_of_a_new_notification_is_acknowledged_and_nothing_else",
        "test_a_test_event_is_ignored",
        "test_a_test_event_inside_sns_is_ignored",
    ),
    "keys with plus signs, spaces or letters beyond ASCII are not found": (
        "test_an_object_is_found_whatever_its_key",
        "test_native_and_sns_wrapped_keys_are_url_encoded_with_plus_for_a_space",
        "test_eventbridge_keys_are_raw",
    ),
    "messages taken during shutdown are lost until their visibility timeout ends": (
        "test_sigterm_under_full_load_ends_in_time_and_gives_back_at_once_what_is_not_finished",
        "test_a_long_poll_is_never_cancelled_and_what_it_brings_while_stopping_is_finished",
    ),
    "good messages are in the dead-letter queue because the database was down": (
        "test_a_long_outage_of_postgresql_moves_no_good_message_to_the_dlq",
        "test_a_long_outage_of_s3_moves_no_good_message_to_the_dlq",
    ),
    "scaling in kills tasks that are busy": (
        "test_sigterm_under_full_load_ends_in_time_and_gives_back_at_once_what_is_not_finished",
        "test_the_tables_are_right_and_nothing_is_left",
    ),
    "two writers deadlock on the rows of their batches": (
        "test_two_consumers_that_load_the_same_checks_in_opposite_order_do_not_deadlock",
        "test_a_load_that_deadlocks_with_somebody_else_is_tried_again",
    ),
    "the same key twice in one upsert fails the batch": (
        "test_of_one_check_twice_in_a_file_the_newer_or_else_the_later_counts",
        "test_two_events_of_one_object_version_go_to_two_batches",
    ),
    "bodies that nobody read to the end leak connections": (
        "test_a_body_that_is_not_read_keeps_no_connection",
        "test_thousands_of_objects_leave_memory_connections_and_logs_as_they_were",
    ),
    "memory grows with the number of messages times the size of objects": (
        "test_objects_are_not_downloaded_beyond_the_byte_budget",
        "test_an_object_is_read_only_once_its_announced_bytes_have_room",
    ),
    "empty polls cost money": ("test_an_empty_queue_is_asked_with_long_polls_only",),
    "an S3 that asks to slow down is not given time": (
        "test_an_s3_that_asks_to_slow_down_is_asked_again_without_a_second_receive",
    ),
}


@cache
def all_tests() -> frozenset[str]:
    """Return the names of all test functions, without importing them."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    modules = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    return frozenset(
        node.name for text in modules for node in ast.parse(text).body if isinstance(node, kinds)
    )


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_every_complaint_has_its_tests(complaint: str) -> None:
    """A test that was renamed or taken away is missed here."""
    named = set(COMPLAINTS[complaint])
    assert named
    assert set() == named - all_tests()
