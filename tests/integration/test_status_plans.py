"""What `consumer status` and `dlq list` ask for at any size of the ledger: by index only."""

from consumer.load import statements
from tests.support.warehouse import Warehouse

FILL = """
    INSERT INTO ingested_objects (
        bucket, object_key, etag, source, state, error_code, received_at, event_time, committed_at,
        extra
    )
    SELECT
        'lake', n::text, n::text, 'erp', CASE WHEN n % 1000 = 0 THEN 'dead_lettered' ELSE 'loaded' END,
        CASE WHEN n = 1000 THEN 'json_malformed' END, now(), now(), now() - n * interval '1 second',
        jsonb_build_object('wide', repeat(md5(n::text), 15))
    FROM generate_series(1, 10000) AS n
"""


def plan(warehouse: Warehouse, statement: str) -> str:
    lines = warehouse.query(f"EXPLAIN {statements.text(statement)}")
    return "\n".join(line["QUERY PLAN"] for line in lines)


def test_no_question_of_the_operators_reads_the_whole_ledger(warehouse: Warehouse) -> None:
    look = warehouse._look
    look.execute(FILL)
    look.execute("VACUUM ANALYZE ingested_objects")
    look.execute("SET enable_seqscan = off")  # small tables are read whole
    for statement, index in (
        ("count_objects", "Index Only Scan using ingested_objects_ends"),
        ("summarize_ledger", "using ingested_objects_failures"),
        ("list_dead_letters", "dead_letters"),
    ):
        told = plan(warehouse, statement)
        assert index in told, told
        assert "Seq Scan on ingested_objects" not in told, told
    look.execute("RESET enable_seqscan")
