"""What each error code does, and what may be chosen instead."""

import pytest

from consumer.errors import (
    AccessDenied,
    Misconfigured,
    Permanent,
    StorageUnavailable,
    Transient,
)
from consumer.policy import RULES, Policy, Reaction, read_policy
from schemas.codes import ErrorCode


def test_the_table_has_every_code_and_no_two_choices_alike() -> None:
    assert list(ErrorCode) == list(RULES)
    for code, rule in RULES.items():
        choices = (rule.reaction, *rule.instead)
        assert len(set(choices)) == len(choices), code


def test_nothing_is_held_by_choice_and_no_outage_ever_dead_lettered() -> None:
    """Good messages must not reach the DLQ because something was down (EVENTS: a fault of ours)."""
    for code, rule in RULES.items():
        assert Reaction.HOLD not in rule.instead, code
    outages = (
        ErrorCode.STORAGE_UNAVAILABLE,
        ErrorCode.DATABASE_UNAVAILABLE,
        ErrorCode.THROTTLED,
    )
    assert {RULES[code].reaction for code in outages} == {Reaction.HOLD}
    assert [RULES[code].instead for code in outages] == [()] * 3


def test_a_choice_replaces_the_usual_reaction_of_its_code_only() -> None:
    policy = read_policy(" object_missing = ignore , access_denied=dead_letter,")
    missing = Permanent(ErrorCode.OBJECT_MISSING, "gone")
    assert policy.reaction(missing) is Reaction.IGNORE
    assert Policy().reaction(missing) is Reaction.DEAD_LETTER
    assert policy.reaction(Permanent(ErrorCode.UNKNOWN_SOURCE, "x")) is Reaction.DEAD_LETTER
    assert policy.reaction(StorageUnavailable("down")) is Reaction.HOLD


@pytest.mark.parametrize("kind", [AccessDenied, Misconfigured])
def test_what_an_operator_must_mend_is_chosen_for_single_objects_only(
    kind: type[Transient],
) -> None:
    """A grant that was revoked, or a wrong region, must not drain the queue into the DLQ."""
    policy = read_policy("access_denied=dead_letter,misconfigured=dead_letter")
    about_one = kind("this key only", is_about_object=True)
    assert policy.reaction(about_one) is Reaction.DEAD_LETTER
    assert policy.reaction(kind("everything")) is Reaction.HOLD
    assert Policy().reaction(about_one) is Reaction.HOLD


@pytest.mark.parametrize("text", ["", " ", ",", "object_missing=dead_letter"])
def test_nothing_need_be_chosen(text: str) -> None:
    policy = read_policy(text)
    assert {policy.chosen.get(code, rule.reaction) for code, rule in RULES.items()} == {
        rule.reaction for rule in RULES.values()
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gone=ignore", "the codes that can be chosen for are unknown_source, object_missing"),
        ("json_malformed=ignore", "the codes that can be chosen for are"),
        ("database_unavailable=dead_letter", "the codes that can be chosen for are"),
        ("object_missing", "choose dead_letter, ignore, retry"),
        ("object_missing=explode", "'object_missing=explode': choose dead_letter, ignore, retry"),
        ("object_missing=hold", "choose dead_letter, ignore, retry"),
        ("internal=ignore", "choose retry, dead_letter"),
        ("object_missing:retry", "write code=reaction"),
        ("object_missing=retry,object_missing=ignore", "object_missing is given twice"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_what_can(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        read_policy(text)
