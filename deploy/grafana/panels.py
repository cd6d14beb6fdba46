"""What the dashboard shows: a row of panels for each question; the queries are PromQL.

`$__rate_interval` is Grafana's: four scrape intervals, or what a point of the graph covers.
"""

from dataclasses import dataclass

RATE = "[$__rate_interval]"


@dataclass(frozen=True)
class Graph:
    """A panel: its queries by what the legend calls them, and the unit as Grafana calls it."""

    title: str
    queries: dict[str, str]
    unit: str = "short"
    description: str = ""


def quantile(share: float, histogram: str, by: str = "") -> str:
    """Return the query of a histogram's quantile, over all consumers."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket{RATE})))"


def rate(counter: str, by: str = "", factor: int = 1) -> str:
    """Return the query of a counter's increase a second, over all programs."""
    grouping = f" by ({by})" if by else ""
    scaled = f" * {factor}" if factor > 1 else ""
    return f"sum{grouping} (rate({counter}{RATE})){scaled}"


NOW = (
    Graph("Consumers", {"running": "count(coco_in_flight_messages)"}),
    Graph(
        "Loaded today", {"objects": 'sum(increase(coco_objects_ended_total{state="loaded"}[24h]))'}
    ),
    Graph(
        "Dead-lettered today",
        {"objects": 'sum(increase(coco_objects_ended_total{state="dead_lettered"}[24h]))'},
        description="`consumer dlq list` says why.",
    ),
    Graph("Breakers open", {"breakers": "sum(max by (cause) (coco_breaker_open))"}),
    Graph("Objects that no message told of", {"objects": "max(coco_unreceived_objects)"}),
    Graph(
        "Since the producer's last complete round",
        {"time": "time() - max(coco_producer_last_complete_timestamp_seconds)"},
        "s",
    ),
)

LOADING = (
    Graph(
        "Objects a minute, by their end",
        {"{{state}}": rate("coco_objects_ended_total", "state", 60)},
    ),
    Graph(
        "From stored to loaded",
        {f"{share:.0%} below": quantile(share, "coco_lag_seconds") for share in (0.5, 0.9, 0.99)},
        "s",
        "From an object's S3 event to the commit of its rows.",
    ),
    Graph(
        "Time in each stage, 90 % below",
        {"{{stage}}": quantile(0.9, "coco_stage_seconds", "stage")},
        "s",
    ),
    Graph("Time of a transaction", {"90 % below": quantile(0.9, "coco_batch_seconds")}, "s"),
    Graph(
        "Rows and messages a second",
        {"rows": rate("coco_batch_rows_sum"), "messages": rate("coco_messages_received_total")},
    ),
    Graph("Bytes read a second", {"bytes": rate("coco_object_bytes_total")}, "Bps"),
    Graph(
        "Messages held",
        {
            "held": "sum(coco_in_flight_messages)",
            "waiting for a remedy": "sum(coco_held_messages)",
        },
    ),
    Graph("Age of the oldest message held", {"seconds": "max(coco_oldest_message_seconds)"}, "s"),
    Graph("Bytes of the byte budget taken", {"bytes": "sum(coco_in_flight_bytes)"}, "bytes"),
)

TROUBLE = (
    Graph("Breaker open", {"{{cause}}": "max by (cause) (coco_breaker_open)"}),
    Graph(
        "Dead-lettered a minute, by error code",
        {"{{code}}": rate('coco_objects_ended_total{state="dead_lettered"}', "code", 60)},
    ),
    Graph(
        "Messages given back a minute",
        {
            "{{outcome}}": rate(
                'coco_messages_settled_total{outcome=~"retried|released|abandoned"}', "outcome", 60
            )
        },
        description="Retried: a bug or an outage. Released: given back at a stop.",
    ),
    Graph(
        "Leases",
        {
            "extended a second": rate("coco_lease_extensions_total"),
            "lost a second": rate("coco_lease_losses_total"),
        },
    ),
    Graph("Breakers opened an hour", {"{{code}}": rate("coco_breaker_opened_total", "code", 3600)}),
    Graph("Drift, by kind", {"{{kind}}": "max by (kind) (coco_drift_findings)"}),
    Graph("Database sessions", {"{{state}}": "sum by (state) (coco_pool_sessions)"}),
)

PRODUCER = (
    Graph(
        "Answers a minute, by outcome",
        {"{{outcome}}": rate("coco_producer_answers_total", "outcome", 60)},
    ),
    Graph("Bytes stored a second", {"bytes": rate("coco_producer_stored_bytes_total")}, "Bps"),
    Graph("Rounds an hour", {"{{result}}": rate("coco_producer_rounds_total", "result", 3600)}),
    Graph(
        "Time of a round",
        {
            "last": "max(coco_producer_round_seconds)",
            "under way": "sum(coco_producer_round_running)",
        },
        "s",
    ),
    Graph(
        "Answers missing after the last round",
        {"{{reason}}": "sum by (reason) (coco_producer_round_missing)"},
    ),
    Graph("Stores that others pull", {"stores": "max(coco_producer_stores_leased_elsewhere)"}),
)

LAKEHOUSE = (
    Graph("Rounds an hour", {"{{result}}": rate("coco_lakehouse_rounds_total", "result", 3600)}),
    Graph("Time of a round", {"last": "max(coco_lakehouse_round_seconds)"}, "s"),
    Graph("Rows written a second", {"rows": rate("coco_lakehouse_rows_total")}),
    Graph("Bytes written a second", {"bytes": rate("coco_lakehouse_bytes_total")}, "Bps"),
    Graph(
        "Since the last round that left nothing",
        {"time": "time() - max(coco_lakehouse_last_success_timestamp_seconds)"},
        "s",
    ),
)
