"""`consumer validate` and `producer upload --check`: what would happen to files, told beforehand."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Lake
from tests.support.consuming import CHECK, consume, export, ledger
from tests.support.programs import run

ROW = {"transactionId": 1, "amount": 5}
DAY_KEY = "raw/api_responses/getTransactions/busDt=2024-01-01/storeId=99%20CB"
NOTHING: dict[str, str] = {}


def write(path: Path, document: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    path.write_bytes(data)
    return str(path)


def told(*arguments: str, code: int, stdin: str = "", **environment: str) -> Any:
    """Validate without a single setting of servers, and give what was told."""
    result = run("consumer", "validate", "--json", *arguments, environment=environment, stdin=stdin)
    assert code == result.returncode, result.stderr
    return json.loads(result.stdout)


def test_a_good_document_would_be_loaded_with_what_is_kept_in_extra(tmp_path: Path) -> None:
    document = {"locRef": "S", "guestChecks": [{"guestCheckId": 7, "mood": "good"}]}
    file = write(tmp_path / "a.json", document)
    [verdict] = told(file, code=0)
    assert ("load", "erp", "S", None, 1) == tuple(
        verdict[name] for name in ("verdict", "source", "store_id", "bus_dt", "records")
    )
    assert [{"path": "guestChecks.mood", "times": 1}] == verdict["kept_in_extra"]
    result = run("consumer", "validate", file, environment=NOTHING)
    assert result.stdout == (
        f"{file}: 1 of 1 records of erp would be loaded (store 'S')\n"
        "  unknown, kept in extra: guestChecks.mood (1 times)\n"
    )


def test_a_value_of_another_type_that_would_be_loaded_all_the_same_is_told(tmp_path: Path) -> None:
    document = {"locRef": "S", "guestChecks": [{"guestCheckId": 7, "tblName": [90]}]}
    file = write(tmp_path / "a.json", document)
    found = {"path": "guestChecks.tblName", "times": 1, "rule": "expected text"}
    assert [found] == told(file, code=0)[0]["retyped"]
    result = run("consumer", "validate", file, environment=NOTHING)
    assert "  retyped: guestChecks.tblName (1 times): expected text\n" in result.stdout


def test_of_a_bad_record_place_id_field_value_rule_and_remedy_are_told(tmp_path: Path) -> None:
    rows = [ROW, {"transactionId": 2, "amount": "x" * 500}]
    file = write(tmp_path / "a.json", {"storeId": "S", "busDt": "2024-01-01", "transactions": rows})
    [verdict] = told(file, code=1)
    assert ("quarantine", "getTransactions", 1, 1) == tuple(
        verdict[name] for name in ("verdict", "source", "records", "quarantined")
    )
    [bad] = verdict["bad_records"]
    assert ("transactions[1]", "2", "schema_invalid", "amount") == tuple(
        bad[name] for name in ("path", "id", "error_code", "field")
    )
    assert bad["value"].startswith("'xxx")
    assert 120 >= len(bad["value"])
    assert "expected a finite number" in bad["rule"]
    assert "alias file" in bad["remedy"]
    result = run("consumer", "validate", file, environment=NOTHING)
    assert "1 of 2 records of getTransactions would be loaded" in result.stdout
    assert "  transactions[1] (id 2): amount = 'xxx" in result.stdout


def test_a_refused_document_is_told_with_the_line_that_lets_it_load(tmp_path: Path) -> None:
    document = {"storeId": "S", "busDt": "2024-01-01", "data": [ROW]}
    file = write(tmp_path / "getTransactions.json", {"payload": document})
    [verdict] = told(file, code=1)
    assert ("refuse", "schema_invalid") == (verdict["verdict"], verdict["error_code"])
    line = '[records] getTransactions = ["payload.data[]"]'
    assert line in verdict["error"]
    aliases = write(tmp_path / "aliases.toml", line.replace("] ", "]\n", 1).encode())
    assert 1 == told(file, code=0, SCHEMA_ALIASES_FILE=aliases)[0]["records"]


def test_a_suspected_rename_is_told_with_its_line(tmp_path: Path) -> None:
    tax = {"taxNum": 1, "txblSlsTtl": 2, "taxCollTtl": 1}
    check = {"guestCheckId": 7, "impostos": [tax]}
    [verdict] = told(write(tmp_path / "a.json", {"locRef": "S", "guestChecks": [check]}), code=0)
    line = 'add to the alias file: [getGuestChecks] "guestChecks.taxes" = ["impostos"]'
    assert [line] == verdict["suggestions"]


def test_identity_comes_from_a_path_that_is_a_lake_key(tmp_path: Path) -> None:
    file = write(tmp_path / DAY_KEY / "x.json", {"transactions": [ROW]})
    [verdict] = told(file, code=0)
    assert (f"{DAY_KEY}/x.json", "99 CB", "2024-01-01") == tuple(
        verdict[name] for name in ("key", "store_id", "bus_dt")
    )
    other = write(tmp_path / DAY_KEY / "y.json", {"storeId": "T", "transactions": [ROW]})
    assert "identity_mismatch" == told(other, code=1)[0]["error_code"]


def test_as_names_the_endpoint_and_key_the_whole_key(tmp_path: Path) -> None:
    file = write(tmp_path / "x.json", {"storeId": "S", "busDt": "2024-01-01", "locRef": "S"})
    assert "getTransactions" == told("--as", "getTransactions", file, code=0)[0]["source"]
    assert "erp" == told(file, code=0)[0]["source"]
    file = write(tmp_path / "x.json", {"transactions": [ROW]})
    assert "2024-01-01" == told("--key", f"{DAY_KEY}/x.json", file, code=0)[0]["bus_dt"]
    assert "unknown_source" == told("--key", "raw/x/y.json", file, code=1)[0]["error_code"]
    template = {"KEY_TEMPLATES": "lake/{store}/{day}/{endpoint}.json"}
    [verdict] = told("--key", "lake/S/2024-01-03/getTransactions.json", file, code=0, **template)
    assert ("S", "2024-01-03") == (verdict["store_id"], verdict["bus_dt"])


def test_where_no_key_is_known_the_document_itself_must_say_its_store_and_day(
    tmp_path: Path,
) -> None:
    document = {"storeId": "S", "busDt": "2024-01-01", "transactions": [ROW]}
    [verdict] = told(write(tmp_path / "x.json", document), code=0)
    assert ("S", "2024-01-01") == (verdict["store_id"], verdict["bus_dt"])
    del document["busDt"]
    result = run("consumer", "validate", write(tmp_path / "x.json", document), environment=NOTHING)
    assert "busDt is missing" in result.stdout
    assert "--key names the key it would get" in result.stdout


def test_gzip_and_stdin_are_read(tmp_path: Path) -> None:
    text = json.dumps({"locRef": "S", "guestChecks": [{"guestCheckId": 7}]})
    file = write(tmp_path / "a.json", gzip.compress(text.encode()))
    assert 1 == told(file, code=0)[0]["records"]
    assert 1 == told("-", code=0, stdin=text)[0]["records"]


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    good = write(tmp_path / "a.json", {"locRef": "S", "guestChecks": []})
    bad = write(tmp_path / "b.json", b"{")
    verdicts = told(good, bad, good, code=1)
    assert ["load", "refuse", "load"] == [verdict["verdict"] for verdict in verdicts]


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["/nowhere.json"], {}, "cannot read /nowhere.json"),
        (["--as", "getNothing", "-"], {}, "'getNothing' is no endpoint; use one of erp"),
        (["--key", "raw/erp/a.json", "-", "-"], {}, "2 files and 1 keys; give one for each"),
        (["-"], {"SCHEMA_ALIASES_FILE": "/nowhere.toml"}, "cannot read /nowhere.toml"),
    ],
)
def test_what_cannot_be_asked_is_an_error_of_use(
    arguments: list[str], environment: dict[str, str], said: str
) -> None:
    result = run("consumer", "validate", *arguments, environment=environment, stdin="{}")
    assert 2 == result.returncode
    assert said in result.stderr


def test_many_bad_records_are_cut_for_people_and_listed_for_programs(tmp_path: Path) -> None:
    rows = [{"transactionId": number, "amount": "x"} for number in range(30)]
    file = write(tmp_path / "a.json", {"storeId": "S", "busDt": "2024-01-01", "transactions": rows})
    assert 30 == len(told(file, code=1)[0]["bad_records"])
    shown = run("consumer", "validate", file, environment=NOTHING).stdout
    assert "transactions[19]" in shown
    assert "transactions[20]" not in shown
    assert "and 10 more: --json lists them" in shown


def test_upload_with_check_uploads_nothing_that_would_not_load(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    good = write(tmp_path / "good.json", export(CHECK))
    bad = write(tmp_path / "bad.json", {"guestChecks": [{"guestCheckId": "x"}]})
    refused = run("producer", "upload", "--check", good, bad, environment=environment)
    assert 1 == refused.returncode
    assert f"{bad}: would be refused as erp, schema_invalid" in refused.stdout
    assert "nothing was uploaded" in refused.stderr
    as_json = run("producer", "upload", "--check", "--json", good, environment=environment)
    assert 0 == as_json.returncode, as_json.stderr
    assert json.loads(as_json.stdout)
    assert "would be loaded" in as_json.stderr
    consume(environment)
    assert [("raw/erp/good.json", "loaded", None)] == ledger(environment)


def test_upload_with_check_judges_by_the_prefix_it_uploads_to(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    lines = write(tmp_path / "a.json", b'{"transactionId": 1}\n{"transactionId": 2}\n')
    aliases = write(tmp_path / "aliases.toml", b'[records]\ngetTransactions = ["[]"]')
    with_aliases = environment | {"SCHEMA_ALIASES_FILE": aliases}
    arguments = ("upload", "--check", "--to", f"{DAY_KEY}/", lines)
    assert 1 == run("producer", *arguments, environment=environment).returncode
    uploaded = run("producer", *arguments, environment=with_aliases)
    assert 0 == uploaded.returncode, uploaded.stderr
    consume(with_aliases)
    assert [(f"{DAY_KEY}/a.json", "loaded", None)] == ledger(environment)
