"""One pure function decides what becomes of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.errors import (
    AccessDenied,
    ConsumerError,
    DatabaseUnavailable,
    Internal,
    LocalDisk,
    Misconfigured,
    Permanent,
    StorageUnavailable,
    Throttled,
    Transient,
)
from consumer.ingest.outcome import Done, Failed
from consumer.messages.settlement import Hold, Retry, Settle, Terms, decide
from consumer.policy import RULES, Policy, Reaction, read_policy
from schemas.codes import ErrorCode, State

TERMS = Terms(Policy(), 2, 600, max_receives=5)
TRANSIENT: dict[ErrorCode, type[Transient]] = {
    ErrorCode.STORAGE_UNAVAILABLE: StorageUnavailable,
    ErrorCode.DATABASE_UNAVAILABLE: DatabaseUnavailable,
    ErrorCode.THROTTLED: Throttled,
    ErrorCode.ACCESS_DENIED: AccessDenied,
    ErrorCode.LOCAL_DISK: LocalDisk,
    ErrorCode.MISCONFIGURED: Misconfigured,
    ErrorCode.INTERNAL: Internal,
}


def error_of(code: ErrorCode) -> ConsumerError:
    """Make the error that carries a code."""
    return TRANSIENT[code]("x") if code in TRANSIENT else Permanent(code, "x")


def test_every_error_code_is_settled_as_the_table_says() -> None:
    kinds = {Reaction.DEAD_LETTER: Settle, Reaction.HOLD: Hold, Reaction.RETRY: Retry}
    for code in ErrorCode:
        decided = decide([Failed(error_of(code))], 1, TERMS)
        assert type(decided) is kinds[RULES[code].reaction], code
        assert error_of(code).code is code


def test_what_is_dead_lettered_at_once_is_what_is_permanent() -> None:
    dead_lettered = {code for code, rule in RULES.items() if rule.reaction is Reaction.DEAD_LETTER}
    assert dead_lettered == set(ErrorCode) - set(TRANSIENT)


def test_success_of_any_kind_settles_without_failures() -> None:
    outcomes = tuple(Done(state) for state in State)
    assert decide(outcomes, 1, TERMS) == Settle(outcomes)


@given(st.lists(st.sampled_from([*ErrorCode, None]), max_size=6))
def test_one_record_that_waits_makes_all_wait_and_otherwise_all_failures_are_dead_lettered(
    codes: list[ErrorCode | None],
) -> None:
    outcomes = [Done(State.LOADED) if code is None else Failed(error_of(code)) for code in codes]
    decided = decide(outcomes, 1, TERMS)
    reactions = [RULES[code].reaction for code in codes if code]
    if Reaction.HOLD in reactions:
        assert isinstance(decided, Hold)
    elif Reaction.RETRY in reactions:
        assert isinstance(decided, Retry)
        assert {failed.error.code for failed in decided.failures} == {ErrorCode.INTERNAL}
    else:
        assert isinstance(decided, Settle)
        assert list(decided.dead_lettered) == [o for o in outcomes if isinstance(o, Failed)]


MISSING = Failed(Permanent(ErrorCode.OBJECT_MISSING, "gone"))
BUG = Failed(Internal("bug"))


@pytest.mark.parametrize("receive_count", [1, 4])
def test_a_permanent_failure_may_be_retried_by_choice(receive_count: int) -> None:
    terms = Terms(read_policy("object_missing=retry"), 2, 600, max_receives=5)
    decided = decide([MISSING], receive_count, terms)
    assert isinstance(decided, Retry)
    assert not decided.is_last


def test_on_the_last_receive_what_was_retried_by_choice_is_dead_lettered_with_its_reason() -> None:
    """The redrive policy would dead-letter it too, and nobody would know why."""
    terms = Terms(read_policy("object_missing=retry"), 2, 600, max_receives=5)
    for receive_count in (5, 6):
        assert decide([MISSING], receive_count, terms) == Settle(dead_lettered=(MISSING,))


def test_on_the_last_receive_a_bug_takes_every_failure_of_its_message_along() -> None:
    """The redrive policy dead-letters the whole message: each failure needs its log and ledger row."""
    decided = decide([MISSING, Done(State.LOADED), BUG], 5, TERMS)
    assert isinstance(decided, Retry)
    assert decided.is_last
    assert decided.failures == (MISSING, BUG)


def test_without_a_redrive_policy_no_receive_is_the_last() -> None:
    decided = decide([BUG], 1000, Terms(Policy(), 2, 600, max_receives=None))
    assert isinstance(decided, Retry)
    assert not decided.is_last


def test_what_is_ignored_by_choice_is_neither_dead_lettered_nor_retried() -> None:
    terms = Terms(read_policy("object_missing=ignore"), 2, 600, max_receives=5)
    done = Done(State.LOADED)
    assert decide([MISSING, done], 1, terms) == Settle((done,), ignored=(MISSING,))


@given(
    st.integers(0, 10**9),
    st.floats(0.001, 600),
    st.integers(1, 43_200),
)
def test_a_delay_is_at_least_a_second_and_never_beyond_the_limit(
    receive_count: int, base_seconds: float, max_seconds: int
) -> None:
    delay = Terms(Policy(), base_seconds, max_seconds).delay_seconds(receive_count)
    assert 1 <= delay <= max_seconds


def test_delays_grow_with_the_receives_and_are_spread() -> None:
    """Without jitter, what failed together comes again together."""
    early = [TERMS.delay_seconds(1) for _ in range(300)]
    late = [TERMS.delay_seconds(9) for _ in range(300)]
    assert max(early) <= 2
    assert max(late) > 400
    assert len(set(late)) > 100
    assert min(late) < 60
