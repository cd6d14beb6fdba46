"""A lake of another layout: uploaded, published, loaded and reconciled by key templates."""

import gzip
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.conftest import Lake
from tests.support.consuming import CHECK, consume, dead_lettered, depth, put
from tests.support.producing import keys, producer, summary
from tests.support.programs import query, run, succeed, until

PLAIN = "lojas/{store}/{day}/{endpoint}.json"
HIVE = "dados/{endpoint}/ano={yyyy}/mes={mm}/dia={dd}/loja={store}/{name}.json"
TEMPLATES = f"{PLAIN}, {HIVE}, getChargeBack=estornos/{{name}}.json"
CHECKS: Any = {"curUTC": "2024-03-02T03:00:00", "guestChecks": [CHECK]}
TRANSACTIONS: Any = {"transactions": [{"transactionId": "t1", "type": "sale", "amount": 1.5}]}
CHARGE_BACKS: Any = {"chargeBacks": [{"chargeId": "c1", "amount": -2, "reason": "fraud"}]}
LEDGER = "SELECT object_key, source, store_id, bus_dt::text, state FROM ingested_objects ORDER BY 1"
HIVE_KEY = "dados/getTransactions/ano=2024/mes=3/dia=01/loja=A%2FB/part-0.json.gz"


def written(root: Path, key: str, body: bytes) -> None:
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def test_a_lake_that_exists_already_is_loaded_as_it_is(
    environment: dict[str, str], lake: Lake, hook: ModuleType, tmp_path: Path
) -> None:
    """Neither store nor day stand in most of the documents; the notification knows only raw/."""
    existing = environment | {"KEY_TEMPLATES": TEMPLATES}
    tree = tmp_path / "lojas"
    # Packed under a plain name.
    packed = gzip.compress(json.dumps(CHECKS).encode())
    written(tree, "São João/20240301/getGuestChecks.json", packed)
    written(tree, "001/2024-03-01/getTransactions.json", json.dumps(TRANSACTIONS).encode())
    uploaded = producer(["upload", str(tree), "--to", "lojas/", "--json"], existing, tmp_path)
    assert (uploaded.returncode, summary(uploaded)["stored"]) == (0, 2), uploaded.stderr
    first = [
        "lojas/001/2024-03-01/getTransactions.json",
        "lojas/São João/20240301/getGuestChecks.json",
    ]
    assert keys(lake, "lojas/") == first
    put(lake, "lojas/LEIAME.txt", b"notes")

    published = producer(["publish", "--prefix", "lojas/"], existing, tmp_path)
    assert published.returncode == 0, published.stderr
    assert "keys_not_recognized" in published.stderr
    consume(existing)
    loaded = [
        (first[0], "getTransactions", "001", "2024-03-01", "loaded"),
        (first[1], "getGuestChecks", "São João", "2024-03-01", "loaded"),
    ]
    assert query(existing, LEDGER) == loaded
    assert query(existing, "SELECT store_id, sub_ttl::text FROM guest_checks") == [
        ("São João", "80.5")
    ]

    put(lake, HIVE_KEY, gzip.compress(json.dumps(TRANSACTIONS).encode()))
    named = CHARGE_BACKS | {"storeId": "001", "busDt": "2024-03-01"}
    put(lake, "estornos/março.json", json.dumps(named).encode())
    found = json.loads(succeed("consumer", "reconcile", "--json", environment=existing))
    assert found["keys"] == [HIVE_KEY, "estornos/março.json"]
    consume(existing)
    assert query(existing, LEDGER) == [
        (HIVE_KEY, "getTransactions", "A/B", "2024-03-01", "loaded"),
        ("estornos/março.json", "getChargeBack", "001", "2024-03-01", "loaded"),
        *loaded,
    ]
    again = json.loads(succeed("consumer", "reconcile", "--json", environment=existing))
    assert again["keys"] == []

    doctor = run("consumer", "doctor", environment=existing)
    assert "its filters leave out lojas/001/2024-01-31/getGuestChecks.json" in doctor.stdout
    prefixes = hook.watched_prefixes(TEMPLATES)
    hook.wire(
        lake.s3, lake.sqs, hook.Names(lake.bucket, lake.bucket, f"{lake.bucket}-dlq", prefixes)
    )
    assert "leave out" not in run("consumer", "doctor", environment=existing).stdout
    lake.sqs.purge_queue(QueueUrl=lake.queue_url)  # the test events of the wiring
    put(lake, HIVE_KEY, json.dumps({"transactions": []}).encode())
    until(lambda: depth(lake, lake.queue_url) == 1, "the object is announced")
    consume(existing)
    assert query(existing, "SELECT store_id FROM transactions WHERE removed_at IS NULL") == [
        ("001",)
    ]


def test_a_key_that_no_template_reads_is_dead_lettered_with_what_was_expected(
    environment: dict[str, str], lake: Lake
) -> None:
    existing = environment | {"KEY_TEMPLATES": "raw/{store}/{day}/{endpoint}.json"}
    put(lake, "raw/001/2024-03-01/getMenu.json", b"{}")
    consume(existing)
    [message] = dead_lettered(lake)
    said = message["MessageAttributes"]["ErrorMessage"]["StringValue"]
    assert "the key is none of raw/erp/…/{name}.json, raw/api_responses/{endpoint}/" in said
    assert "raw/{store}/{day}/{endpoint}.json" in said


def test_an_unusable_template_stops_every_command_with_the_remedy(
    environment: dict[str, str], tmp_path: Path
) -> None:
    wrong = environment | {"KEY_TEMPLATES": "raw/{loja}/{day}/{endpoint}.json"}
    for result in (
        run("consumer", "run", environment=wrong),
        run("consumer", "reconcile", environment=wrong),
        producer(["publish", "--prefix", "raw/"], wrong, tmp_path),
        producer(["upload", str(tmp_path)], wrong, tmp_path),
    ):
        assert result.returncode == 2
        assert "KEY_TEMPLATES: " in result.stderr
        assert "{loja} at character 5 is unknown; use {store} {name}" in result.stderr
