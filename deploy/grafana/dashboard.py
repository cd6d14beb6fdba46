"""`make dashboard`: write `coco-ingest.json` from the panels.

Needs grafana-foundation-sdk, which is in `.venv-deploy` only (`requirements/deploy.lock`).
"""

import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BigValueGraphMode, LegendDisplayMode
from grafana_foundation_sdk.models.common import LegendPlacement as Placement
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from deploy.grafana.panels import LAKEHOUSE, LOADING, NOW, PRODUCER, TROUBLE, Graph

FILE = Path(__file__).parent / "coco-ingest.json"
# The one that is chosen at the top of the dashboard.
SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
COLUMNS = 24


def written() -> str:
    """Return the dashboard as Grafana reads it."""
    made = (
        dashboard.Dashboard("coco-ingest")
        .uid("coco-ingest")
        .description("Consumer, producer and lakehouse; docs/operations.md has the runbook.")
        .readonly()
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .with_variable(
            dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus")
        )
    )
    for one in NOW:
        made.with_panel(_number(one))
    rows = {"Loading": LOADING, "Trouble": TROUBLE, "Producer": PRODUCER, "Lakehouse": LAKEHOUSE}
    for title, graphs in rows.items():
        made.with_row(dashboard.Row(title))
        for one in graphs:
            made.with_panel(_graph(one))
    text: str = JSONEncoder(sort_keys=True, indent=2).encode(made.build())
    return text + "\n"


def _number(one: Graph) -> stat.Panel:
    panel = stat.Panel().title(one.title).description(one.description).unit(one.unit)
    panel.graph_mode(BigValueGraphMode.NONE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    for query in _queries(one):
        panel.with_target(query.instant())
    return panel.datasource(SOURCE).height(4).span(COLUMNS // len(NOW))


def _graph(one: Graph) -> timeseries.Panel:
    panel = timeseries.Panel().title(one.title).description(one.description).unit(one.unit).min(0)
    legend = common.VizLegendOptions().show_legend(show_legend=True)
    panel.legend(legend.display_mode(LegendDisplayMode.LIST).placement(Placement.RIGHT))
    panel.fill_opacity(10)
    for query in _queries(one):
        panel.with_target(query.range())
    return panel.datasource(SOURCE).height(7).span(COLUMNS // 2)


def _queries(one: Graph) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery().expr(query).legend_format(legend).ref_id(chr(ord("A") + number))
        for number, (legend, query) in enumerate(one.queries.items())
    ]


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(written())
    else:
        FILE.write_text(written(), encoding="utf-8")
