"""The consumer's HTTP port: alive, ready, counted."""

import signal
import subprocess
import sys

from tests.conftest import Lake
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, page, until


def test_the_port_says_alive_ready_and_what_was_done_until_the_database_goes(
    environment: dict[str, str], lake: Lake, unused_tcp_port: int
) -> None:
    """Readiness follows the breaker; liveness does not: a restart would not mend a database."""
    with_tables(environment)
    own = environment | {"HTTP_PORT": str(unused_tcp_port), "RECEIVE_WAIT_SECONDS": "1"}
    with subprocess.Popen([sys.executable, "-m", "consumer", "run"], env=own) as process:
        try:
            until(lambda: page(unused_tcp_port, "/readyz") == (200, "ok\n"), "ready")
            assert page(unused_tcp_port, "/healthz") == (200, "ok\n")
            lake.s3.put_object(Bucket=lake.bucket, Key="raw/erp/bad.json", Body=b"{")
            until(
                lambda: (
                    'coco_objects_ended_total{code="json_malformed",state="dead_lettered"} 1.0'
                    in page(unused_tcp_port, "/metrics")[1]
                ),
                "the failure is counted",
            )
            metrics = page(unused_tcp_port, "/metrics")[1]
            for line in (
                "coco_messages_received_total 1.0",
                'coco_messages_settled_total{code="json_malformed",outcome="dead_lettered"} 1.0',
                'coco_breaker_open{cause="outage"} 0.0',
                'coco_pool_sessions{state="waiting"} 0.0',
                "coco_in_flight_bytes 0.0",
                'coco_stage_seconds_count{stage="fetch"} 1.0',
            ):
                assert line in metrics
            lake.sqs.delete_queue(QueueUrl=lake.dlq_url)
            lake.sqs.delete_queue(QueueUrl=lake.queue_url)
            until(lambda: page(unused_tcp_port, "/readyz")[0] == 503, "not ready")
            assert page(unused_tcp_port, "/healthz") == (200, "ok\n")
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE_SECONDS) == 0
        finally:
            process.kill()
            for url in (lake.queue_url, lake.dlq_url):
                lake.sqs.create_queue(QueueName=url.rpartition("/")[2])
