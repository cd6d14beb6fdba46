"""The JSON Schemas that are handed out are those of the models."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.__main__ import document_schema, main, schema_text
from schemas.registry import Source
from tests.support.facts import KINDS, LISTS

GOOD: dict[str, dict[str, Any]] = {
    "erp": {"guestCheckId": 1, "subTtl": 109.9, "taxes": [{"taxNum": 28}]},
    "getGuestChecks": {
        "guestCheckId": 1,
        "lastUpdatedUTC": "2024-01-01T10:00:00",
        "detailLines": [{"guestCheckLineItemId": 9988776655, "menuItem": {"miNum": 6042}}],
    },
} | {
    source: {name: KINDS[kind].taken[0][0] for name, kind in facts.fields.items()}
    for source, facts in LISTS.items()
}


@pytest.mark.parametrize("source", list(Source))
def test_the_file_that_is_shipped_is_the_model_s(source: Source) -> None:
    """If this fails: `python -m schemas --write schemas/json`."""
    shipped = files("schemas").joinpath("json", f"{source}.json").read_text(encoding="utf-8")
    assert shipped == schema_text(source)


@pytest.mark.parametrize("source", list(Source))
def test_a_document_as_the_erp_sends_it_conforms(source: Source) -> None:
    schema = document_schema(source)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    document = {"storeId": "99 CB CB", "curUTC": "2024-01-01T10:00:00", "new": 1}
    for records in ({}, {source.entry.list_field: [GOOD[source]]}, {source.entry.list_field: None}):
        assert [] == list(validator.iter_errors(document | records))


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize(
    "rows", [[7], [{"amount": {}, "guestCheckId": "x", "openingBalance": {}}], 7]
)
def test_a_document_of_other_types_does_not_conform(source: Source, rows: Any) -> None:
    validator = Draft202012Validator(document_schema(source))
    assert not validator.is_valid({source.entry.list_field: rows})


def test_the_command_prints_the_schemas_it_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["getChargeBack"])
    assert document_schema(Source.CHARGE_BACK) == json.loads(capsys.readouterr().out)


def test_the_command_writes_one_file_for_each_source(tmp_path: Path) -> None:
    main(["--write", str(tmp_path / "new")])
    assert {f"{source}.json" for source in Source} == {
        path.name for path in (tmp_path / "new").iterdir()
    }


def test_the_command_names_the_sources_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["getNothing"])
    assert "unknown source getNothing; known: erp" in capsys.readouterr().err
