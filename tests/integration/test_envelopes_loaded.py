"""Records in envelopes: dead-lettered with the line that helps, and loaded once it is there."""

import json
from pathlib import Path

from tests.conftest import Lake
from tests.support.consuming import CHECK, consume, ledger, put
from tests.support.programs import query, succeed

API = "raw/api_responses/{}/busDt=2024-01-01/storeId=S/a.json"
FISCAL, MONEY = API.format("getFiscalInvoice"), API.format("getTransactions")
CENTRES = [
    {"rvcNum": 1, "invoices": [{"invoiceId": 1, "amount": 5}, {"invoiceId": 2, "rvcNum": 9}]},
    {"rvcNum": 2, "invoices": [{"invoiceId": 3}]},
]


def test_the_line_of_the_refusal_and_a_replay_load_the_document(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    checks = [
        {"locRef": "S", "curUTC": "2024-01-02T00:00:00", "guestChecks": [check]}
        for check in (CHECK, CHECK | {"guestCheckId": 8, "taxes": [], "detailLines": []})
    ]
    documents = {
        "raw/erp/lines.json": "\n".join(json.dumps(document) for document in checks),
        FISCAL: json.dumps({"locRef": "S", "revenueCenters": CENTRES}),
        MONEY: json.dumps({"payload": {"storeId": "S", "data": [{"transactionId": 1}]}}),
    }
    for key, text in documents.items():
        put(lake, key, text.encode())
    consume(environment)
    assert ["dead_lettered"] * 3 == [state for _, state, _ in ledger(environment)]
    messages = query(environment, "SELECT error_message FROM ingested_objects ORDER BY object_key")
    lines = [str(message).partition("add to the alias file: ")[2] for [message] in messages]
    aliases = tmp_path / "aliases.toml"
    aliases.write_text("\n".join(lines), encoding="utf-8")
    environment = environment | {"SCHEMA_ALIASES_FILE": str(aliases)}
    succeed("consumer", "dlq", "replay", environment=environment)
    consume(environment)
    assert ["loaded"] * 3 == [state for _, state, _ in ledger(environment)]
    assert 2 == query(environment, "SELECT count(*) FROM guest_checks WHERE store_id = 'S'")[0][0]
    assert [("1", "1"), ("2", "9"), ("3", "2")] == query(
        environment,
        "SELECT record_id, extra ->> 'rvcNum' FROM fiscal_invoices ORDER BY record_id",
    )
    assert 1 == query(environment, "SELECT count(*) FROM transactions")[0][0]
