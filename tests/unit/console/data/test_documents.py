"""What is shown of a document that failed: whatever it is, however large."""

import json
import time

import pytest

from console.data.documents import Line, Problem, _problems, _unpacked, document_lines


def lines(data: bytes, *problems: Problem) -> list[Line]:
    return document_lines(data, list(problems))


def bad(found: list[Line]) -> list[str]:
    return [line.text.strip() for line in found if line.is_bad]


def document(**record: object) -> bytes:
    return json.dumps({"guestChecks": [{"guestCheckId": 1}, record]}).encode()


def problem(location: str, path: str = "guestChecks[1]") -> Problem:
    return Problem(path, "7", location, "expected an integer", "x")


def test_the_line_of_the_bad_field_is_marked_in_its_record() -> None:
    found = lines(document(guestCheckId=7, subTtl="x", taxes=[1, 2]), problem("subTtl"))
    assert ['"subTtl": "x",'] == bad(found)
    assert "guestChecks[1]" == found[0].text
    assert any('"taxes": "…"' in line.text for line in found)
    assert not any('"guestCheckId": 1' in line.text for line in found)


def test_a_bad_field_of_a_part_is_shown_in_its_place() -> None:
    found = lines(document(taxes=[{"taxNum": "x", "type": 1}]), problem("taxes[0].taxNum"))
    assert ['"taxNum": "x",'] == bad(found)


def test_a_field_that_is_not_there_is_told() -> None:
    assert ['"guestCheckId" is not there'] == bad(lines(document(a=1), problem("guestCheckId")))


@pytest.mark.parametrize(
    "path", ["guestChecks[9]", "nowhere[0]", "guestChecks[x]", "", "[[]]", "."]
)
def test_a_place_that_there_is_not_shows_the_beginning(path: str) -> None:
    assert '"guestChecks": [' == lines(document(a=1), problem("a", path))[1].text.strip()


def test_where_the_json_breaks_is_marked() -> None:
    found = lines(b'{"guestChecks": [\n{"a": 1,}\n]}')
    assert 1 == len(bad(found))
    assert "the document breaks here" in bad(found)[0]


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe", b"[" * 100_000, b"null", b"3", b'"x"', b"NaN", b'{"a": "\\ud800"}'],
    ids=["empty", "binary", "nested", "null", "number", "text", "nan", "surrogate"],
)
def test_whatever_came_can_be_shown(data: bytes) -> None:
    for line in lines(data, problem("a")):
        assert line.text == line.text.encode().decode()


def test_a_huge_document_is_cut_at_once() -> None:
    began = time.process_time()
    record = {"guestCheckId": 1, "note": "x" * 100_000, **{f"f{n}": n for n in range(5000)}}
    found = lines(json.dumps({"guestChecks": [record] * 20}).encode(), problem("note"))
    assert len(found) <= 50
    assert max(len(line.text) for line in found) <= 300
    assert time.process_time() - began < 2


def test_a_bomb_is_gunzipped_no_further_than_the_limit() -> None:
    import gzip  # noqa: PLC0415 - of this test only

    data, note = _unpacked(gzip.compress(b"0" * 50_000_000))
    assert 4 * 2**20 == len(data)
    assert "only the document's beginning" in note
    assert (b"", True) == ((told := _unpacked(b"\x1f\x8bnonsense"))[0], "gunzipped" in told[1])


@pytest.mark.parametrize(
    "log", [{}, {"records": 3}, {"records": [1, {"errors": 2}, {"errors": [3]}]}, {"errors": {}}]
)
def test_a_log_that_somebody_wrote_is_no_harm(log: dict[str, object]) -> None:
    assert all(isinstance(one, Problem) for one in _problems(log))
