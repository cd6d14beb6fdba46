"""One pure function decides what becomes of a message."""

from hypothesis import given
from hypothesis import strategies as st

import consumer.errors as errors_module
from consumer.errors import ConsumerError, Permanent, Transient
from consumer.settlement import Backoff, Done, Failed, Retry, Settle, decide
from schemas.codes import ErrorCode, State

BACKOFF = Backoff(2, 600)
_TRANSIENT = {
    kind._code: kind
    for kind in vars(errors_module).values()
    if isinstance(kind, type) and issubclass(kind, Transient) and kind is not Transient
}


def error_of(code: ErrorCode) -> ConsumerError:
    """Make the error that carries a code."""
    return Permanent(code, "x") if code.is_permanent else _TRANSIENT[code]("x")


def test_every_error_code_has_a_settlement() -> None:
    """A permanent code is parked at once; a transient one waits, and its class carries it."""
    for code in ErrorCode:
        decided = decide([Failed(error_of(code))], 1, BACKOFF)
        assert isinstance(decided, Settle if code.is_permanent else Retry), code
        assert error_of(code).code is code


def test_every_transient_class_has_a_code_of_its_own() -> None:
    assert set(_TRANSIENT) == {code for code in ErrorCode if not code.is_permanent}


def test_success_of_any_kind_settles_without_failures() -> None:
    outcomes = [Done(state) for state in State]
    assert decide(outcomes, 1, BACKOFF) == Settle(())


@given(st.lists(st.sampled_from([*ErrorCode, None]), max_size=6))
def test_one_transient_record_retries_all_and_otherwise_all_failures_are_parked(
    codes: list[ErrorCode | None],
) -> None:
    outcomes = [Done(State.LOADED) if code is None else Failed(error_of(code)) for code in codes]
    decided = decide(outcomes, 1, BACKOFF)
    transient = [code for code in codes if code is not None and not code.is_permanent]
    if transient:
        assert isinstance(decided, Retry)
        assert decided.error.code == transient[0]
    else:
        assert decided == Settle(tuple(o for o in outcomes if isinstance(o, Failed)))


@given(
    st.integers(0, 10**9),
    st.floats(0.001, 600),
    st.integers(1, 43_200),
)
def test_a_delay_is_at_least_a_second_and_never_beyond_the_limit(
    receive_count: int, base_seconds: float, max_seconds: int
) -> None:
    delay = Backoff(base_seconds, max_seconds).delay_seconds(receive_count)
    assert 1 <= delay <= max_seconds


def test_delays_grow_with_the_receives_and_are_spread() -> None:
    """Without jitter, what failed together comes again together."""
    early = [BACKOFF.delay_seconds(1) for _ in range(300)]
    late = [BACKOFF.delay_seconds(9) for _ in range(300)]
    assert max(early) <= 2
    assert max(late) > 400
    assert len(set(late)) > 100
    assert min(late) < 60
