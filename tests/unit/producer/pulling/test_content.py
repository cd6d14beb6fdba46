"""What counts as the same content."""

import pytest

from producer.pulling.content import content_digest

SAME = content_digest(b'{"curUTC": "1", "a": [1.50]}')


@pytest.mark.parametrize("stamp", [b"2", b"2024-01-01T00:00:00", b""])
def test_the_documents_own_time_does_not_count(stamp: bytes) -> None:
    assert content_digest(b'{"curUTC": "' + stamp + b'", "a": [1.50]}') == SAME


@pytest.mark.parametrize(
    "body",
    [
        b'{"curUTC": "1", "a": [1.5]}',
        b'{"curUTC": "1", "a": ["1.50"]}',
        b'{"curUTC": "1", "a": [1.50], "b": null}',
        b'{"curUTC": null, "a": [1.50]}',
        b'{"a": [1.50]}',
    ],
)
def test_everything_else_does(body: bytes) -> None:
    assert content_digest(body) != SAME


def test_the_time_may_stand_anywhere_in_the_document() -> None:
    first, second = (b'\xef\xbb\xbf{"a": {"b": 1}, "curUTC" : "%d"}' % number for number in (1, 2))
    assert content_digest(first) == content_digest(second)


@pytest.mark.parametrize(
    "template",
    [
        b'{"a": {"curUTC": "%d"}}',
        b'{"a": {"curUTC": "%d"}, "curUTC": "9"}',
        b'{"a": "\\"curUTC\\": \\"%d\\""}',
        b'[{"curUTC": "%d"}]',
        b'{"curUTC": "9", "b": {"curUTC": "%d"}}',
    ],
)
def test_a_time_that_is_not_the_documents_own_counts(template: bytes) -> None:
    """A needless write is harmless; a correction that is not written is data lost."""
    assert content_digest(template % 1) != content_digest(template % 2)
