"""What may be said of an error in the process's own log."""

from consumer.errors import where


def test_where_a_bug_is_can_be_told_without_what_it_says() -> None:
    def deep_inside() -> None:
        raise KeyError("the customer's name")

    try:
        deep_inside()
    except KeyError as error:
        told = where(error)
    assert told.startswith("KeyError < ")
    assert "deep_inside" in told
    assert "customer" not in told
