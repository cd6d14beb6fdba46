"""The wheel, the image and the compose file hold together, as far as can be told without Docker."""

import configparser
import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder

from console.settings import ConsoleSettings
from consumer.settings import ConsumerSettings
from devstack.erp.settings import SimulatorSettings
from lakehouse.settings import LakehouseSettings
from producer.settings import Settings as ProducerSettings

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("consumer", "producer", "console", "lakehouse", "schemas", "runtime", "devstack")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {
    name: service for name, service in SERVICES.items() if service["image"] == "coco-ingest:local"
}
WATCHERS = {"prometheus", "grafana"}  # of the profile observability
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
# LocalStack documents these; the rest of its environment is ours.
LOCALSTACK_VARIABLES = {
    "SERVICES", "EAGER_SERVICE_LOADING", "LOCALSTACK_HOST", "SQS_ENDPOINT_STRATEGY",
    "DISABLE_EVENTS", "SKIP_SSL_CERT_DOWNLOAD", "LS_LOG",
}  # fmt: skip
NAMES = {"BUCKET_NAME", "QUEUE_URL", "DLQ_URL"}
DEFAULTS = {name: info.default for name, info in ConsumerSettings.model_fields.items()}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Build the wheel as the Dockerfile does, by the same backend."""
    directory = tmp_path_factory.mktemp("wheel")
    [path] = WheelBuilder(str(ROOT)).build(directory=str(directory), versions=["standard"])
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    """SQL, migrations, aliases and samples are as much part of a program as its modules."""
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert {"schemas/aliases.toml", "consumer/load/sql/sessions/stage_tables.sql"} < expected
    assert any(re.fullmatch(r"consumer/load/migrations/\d{4}_\w+\.sql", name) for name in packed)
    assert expected == packed


def test_every_program_of_the_wheel_is_in_it(wheel: zipfile.ZipFile) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]
    parser = configparser.ConfigParser()
    parser.read_string(wheel.read(name).decode())
    programs = dict(parser["console_scripts"])
    assert {"consumer", "producer", "devstack"} <= set(programs)
    modules = {f"{target.partition(':')[0].replace('.', '/')}.py" for target in programs.values()}
    assert set() == modules - set(wheel.namelist())


def test_what_builds_the_wheel_is_pinned_with_hashes() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    listed = (ROOT / "requirements" / "build.in").read_text().splitlines()
    assert wanted == [line for line in listed if not line.startswith("#")]
    lock = (ROOT / "requirements" / "build.lock").read_text()
    pins = re.findall(r"^[\w.-]+==\S+ \\\n    --hash=sha256:", lock, re.MULTILINE)
    assert "hatchling==" in lock
    assert len(pins) == len(re.findall(r"^\w", lock, re.MULTILINE))


def test_the_image_takes_packages_from_locks_only() -> None:
    installs = re.findall(
        r"pip\S* (?:--python \S+ )?install (.*?)(?: && |$)", DOCKERFILE, re.MULTILINE
    )
    assert len(installs) == 3
    for arguments in installs:
        assert "--require-hashes" in arguments or "--no-deps /wheels" in arguments


def test_the_image_runs_the_consumer_as_nobody_in_particular() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in final
    assert 'CMD ["consumer", "run"]' in final
    assert "STOPSIGNAL SIGTERM" in final
    assert "pip" not in final
    assert "ENTRYPOINT" not in DOCKERFILE
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert [re.fullmatch(r"python:3\.\d+-slim-\w+", base) is not None for base in bases] == [
        True
    ] * 2


def test_whatever_the_image_copies_is_there_and_not_ignored() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    copied = {
        word.rstrip("/")
        for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for word in sources.split()
    }
    assert set(PACKAGES) < copied
    assert allowed == copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_compose_starts_the_whole_service() -> None:
    ours = {"api", "migrate", "consumer", "console", "producer", "lakehouse"}
    assert set(SERVICES) == {"localstack", "postgres"} | ours | WATCHERS
    asked_for = {name: service.get("profiles") for name, service in SERVICES.items()}
    assert {name for name, profiles in asked_for.items() if not profiles} == (
        {"localstack", "postgres"} | set(OURS) - {"console"}
    )
    assert asked_for["console"] == ["console"]
    assert "version" not in COMPOSE
    assert set(OURS) == {"api", "migrate", "consumer", "console", "producer"}
    commands = {name: service["command"][:2] for name, service in OURS.items()}
    assert commands == {
        "api": ["devstack", "api"],
        "migrate": ["consumer", "migrate"],
        "consumer": ["consumer", "run"],
        "console": ["console", "serve"],
        "producer": ["producer", "pull"],
    }


def test_one_service_builds_the_image_and_the_others_never_ask_a_registry_for_it() -> None:
    """Every consumer waits for `migrate`, so that the image is there before it starts."""
    assert [name for name, service in OURS.items() if "build" in service] == ["migrate"]
    policies = {name: service.get("pull_policy") for name, service in OURS.items()}
    assert policies == {name: None if name == "migrate" else "never" for name in OURS}


def test_arrow_is_only_in_the_image_of_those_who_ask_for_it() -> None:
    """It weighs as much as all other packages together."""
    lakehouse = SERVICES["lakehouse"]
    assert lakehouse["build"]["args"] == {"LOCK": "requirements/lakehouse.lock"}
    assert lakehouse["profiles"] == ["lakehouse"]
    assert "ARG LOCK=requirements/runtime.lock\n" in DOCKERFILE
    locks = {
        name: (ROOT / "requirements" / f"{name}.lock").read_text()
        for name in ("runtime", "lakehouse")
    }
    pins = {name: set(re.findall(r"^\S+==\S+", text, re.MULTILINE)) for name, text in locks.items()}
    assert pins["runtime"] < pins["lakehouse"]
    assert "pyarrow" not in locks["runtime"]


def test_foreign_images_are_pinned() -> None:
    """`latest` of LocalStack does not even start without an account."""
    assert SERVICES["localstack"]["image"] == "localstack/localstack:4.14.0"
    assert re.fullmatch(r"postgres:\d+\.\d+", SERVICES["postgres"]["image"])
    assert all(re.search(r":v?\d+\.\d+\.\d+$", SERVICES[name]["image"]) for name in WATCHERS)


@pytest.mark.parametrize("name", ["localstack", "postgres", "api", "console"])
def test_servers_say_when_they_can_be_used(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert {"test", "interval", "timeout", "retries"} == set(check)
    [port] = SERVICES[name]["ports"]
    variable = f"{name}_PORT".upper()
    assert re.fullmatch(rf"127\.0\.0\.1:\$\{{{variable}:-(\d+)\}}:\1", port)


def test_localstack_is_healthy_only_when_its_queue_is_there() -> None:
    check = SERVICES["localstack"]["healthcheck"]["test"][1]
    queue = SERVICES["localstack"]["environment"]["QUEUE_URL"].rpartition("4566")[2]
    assert f"localhost:4566{queue}?Action=GetQueueAttributes" in check
    assert "/_localstack/init/ready" in check


def test_postgres_is_healthy_only_when_its_database_answers_over_tcp() -> None:
    check = SERVICES["postgres"]["healthcheck"]["test"][1]
    assert "psql -h 127.0.0.1" in check
    assert "SELECT 1" in check


def test_localstack_finds_the_hooks_of_this_repository() -> None:
    mounts = [volume.split(":") for volume in SERVICES["localstack"]["volumes"]]
    [hooks] = [mount for mount in mounts if mount[1] == "/etc/localstack/init/ready.d"]
    assert (ROOT / hooks[0] / "10_lake_and_queues.py").exists()
    named = {
        mount.split(":")[0] for name in SERVICES for mount in SERVICES[name].get("volumes", [])
    }
    assert set(COMPOSE["volumes"]) == {name for name in named if not name.startswith(".")}


def test_all_that_talk_about_the_lake_call_it_the_same() -> None:
    spoken = [
        {name: service["environment"][name] for name in NAMES}
        for service in SERVICES.values()
        if NAMES & set(service.get("environment", {}))
    ]
    assert len(spoken) == 5
    assert all(names == spoken[0] for names in spoken)
    database = SERVICES["consumer"]["environment"]
    made = SERVICES["postgres"]["environment"]
    assert [database[f"DB_{name}"] for name in ("NAME", "USER", "PASSWORD")] == [
        made[f"POSTGRES_{name}"] for name in ("DB", "USER", "PASSWORD")
    ]
    assert (
        SERVICES["api"]["environment"]["API_TOKEN"]
        == SERVICES["producer"]["environment"]["API_TOKEN"]
    )


def test_every_variable_in_compose_is_one_that_somebody_reads() -> None:
    """A misspelt name would be ignored in silence."""
    models = (ConsoleSettings, ProducerSettings, LakehouseSettings)
    settings = {name.upper() for model in models for name in model.model_fields}
    simulator = {f"ERP_SIM_{name}".upper() for name in SimulatorSettings.model_fields}
    read = {
        "localstack": LOCALSTACK_VARIABLES | NAMES,
        "postgres": {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"},
        "api": simulator | {"API_TOKEN"},
    }
    for name in SERVICES.keys() - WATCHERS:
        assert set() == set(SERVICES[name]["environment"]) - read.get(name, settings), name
    assert all(name.startswith("GF_") for name in SERVICES["grafana"]["environment"])


def test_the_programs_accept_what_compose_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ConsoleSettings.model_fields, *ProducerSettings.model_fields):
        monkeypatch.delenv(name.upper(), raising=False)
    programs: tuple[tuple[str, type[ConsumerSettings | ProducerSettings]], ...] = (
        ("consumer", ConsumerSettings),
        ("console", ConsoleSettings),
        ("producer", ProducerSettings),
    )
    for service, model in programs:
        with monkeypatch.context() as patch:
            for name, value in SERVICES[service]["environment"].items():
                patch.setenv(name, value)
            settings = model(_env_file=None)
            assert settings.bucket_name == "coco-data-lake"


def test_consumers_can_be_many_and_have_time_to_stop() -> None:
    consumer = SERVICES["consumer"]
    assert {"container_name", "ports"} & set(consumer) == set()
    assert consumer["restart"] == "unless-stopped"
    grace_seconds = int(consumer["stop_grace_period"].removesuffix("s"))
    assert grace_seconds > DEFAULTS["shutdown_timeout_seconds"] > DEFAULTS["receive_wait_seconds"]


@pytest.mark.parametrize("name", ["consumer", "lakehouse"])
def test_metrics_can_be_scraped_from_another_container(name: str) -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    [job] = [job for job in jobs if job["job_name"] == name]
    [names] = job["dns_sd_configs"]
    environment = SERVICES[name]["environment"]
    assert environment["HTTP_HOST"] == "0.0.0.0"  # noqa: S104 - in a container
    assert ([name], names["port"]) == (names["names"], int(environment["HTTP_PORT"]))


def test_grafana_finds_what_is_provisioned_and_asks_the_prometheus_beside_it() -> None:
    """The folders are those of its image."""
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    assert all((ROOT / source).exists() for source in mounts)
    provisioned = ROOT / "deploy" / "grafana" / "provisioning"
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    [folder] = yaml.safe_load((provisioned / "dashboards/coco-ingest.yml").read_text())["providers"]
    assert mounts["./deploy/grafana/coco-ingest.json"].startswith(folder["options"]["path"])
    [source] = yaml.safe_load((provisioned / "datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    assert SERVICES["prometheus"]["volumes"] == ["./deploy/prometheus:/etc/prometheus:ro"]


def test_nobody_starts_before_what_they_need() -> None:
    needs = {name: service.get("depends_on", {}) for name, service in SERVICES.items()}
    conditions = {
        name: {other: need["condition"] for other, need in others.items()}
        for name, others in needs.items()
        if others
    }
    assert conditions == {
        "migrate": {"postgres": "service_healthy"},
        "consumer": {"localstack": "service_healthy", "migrate": "service_completed_successfully"},
        "console": {"migrate": "service_completed_successfully"},
        "lakehouse": {"localstack": "service_healthy", "migrate": "service_completed_successfully"},
        "producer": {"localstack": "service_healthy", "api": "service_healthy"},
        "grafana": {"prometheus": "service_started"},
    }
