"""LocalStack (S3 and SQS) without Docker, from a virtual environment of its own.

Each stack has its own state directory with its own copy of the `ready.d` hooks. Ready means that
the hooks have run: an open port comes earlier, and LocalStack carries on when a hook fails.
"""

import json
import os
import shutil
import urllib.request
from pathlib import Path
from typing import Any

from devstack.server import ServerFailedError, ServerSpec

PROJECT = Path(__file__).resolve().parent.parent
HOOKS = PROJECT / "localstack-init" / "ready.d"
PYTHON = PROJECT / ".venv-localstack" / "bin" / "python"
# Where another LocalStack environment may be named, for those who share one between checkouts.
PYTHON_VARIABLE = "LOCALSTACK_PYTHON"

REGION = "us-east-1"
ACCOUNT = "000000000000"
BUCKET = "coco-data-lake"
QUEUE = "coco-ingest"
DLQ = "coco-ingest-dlq"
_ASK_TIMEOUT_SECONDS = 2


def prepare(directory: Path, port: int) -> ServerSpec:
    """Lay out an empty state directory and say how to start LocalStack on `port`.

    Raises:
        ServerFailedError: its virtual environment is missing.
    """
    python = find_python()
    shutil.rmtree(directory, ignore_errors=True)
    hooks = directory / "etc" / "localstack" / "init" / "ready.d"
    hooks.parent.mkdir(mode=0o700, parents=True)
    shutil.copytree(HOOKS, hooks, ignore=shutil.ignore_patterns("__pycache__"))
    return ServerSpec(
        name="localstack",
        command=[python, "-m", "localstack.runtime.main"],
        environment=_environment(directory, port),
        is_ready=lambda: hooks_have_run(f"http://127.0.0.1:{port}"),
        port=port,
    )


def find_python() -> str:
    """Return the interpreter of LocalStack's own virtual environment."""
    python = Path(os.environ.get(PYTHON_VARIABLE) or PYTHON)
    if not python.exists():
        raise ServerFailedError(f"localstack: {python} is missing; run `make setup`")
    return str(python)


def hooks_have_run(endpoint: str) -> bool:
    """Ask LocalStack whether every ready hook has succeeded.

    Raises:
        ServerFailedError: a hook failed, so that bucket and queues will never be there.
    """
    stage = _ask(f"{endpoint}/_localstack/init/ready")
    if stage is None or not stage.get("completed"):
        return False
    states = {script["name"]: script["state"] for script in stage["scripts"]}
    failed = [name for name, state in states.items() if state != "SUCCESSFUL"]
    if failed or not states:
        raise ServerFailedError(f"its init hooks did not succeed: {failed or 'none was found'}")
    return True


def environment(port: int) -> dict[str, str]:
    """Return the variables that lead the AWS SDKs and the product to this LocalStack."""
    endpoint = f"http://127.0.0.1:{port}"
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,  # what boto3 itself reads
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "BUCKET_NAME": BUCKET,
        "QUEUE_URL": f"{endpoint}/{ACCOUNT}/{QUEUE}",
        "DLQ_URL": f"{endpoint}/{ACCOUNT}/{DLQ}",
    }


def _environment(directory: Path, port: int) -> dict[str, str]:
    """Build LocalStack's environment from nothing: it reads many variables and ~/.localstack."""
    temporary = directory / "tmp"
    temporary.mkdir()
    return {
        "PATH": os.defpath,
        "HOME": str(directory),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": str(directory),
        "SERVICES": "s3,sqs",
        "EAGER_SERVICE_LOADING": "1",
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        "SQS_ENDPOINT_STRATEGY": "off",  # queue URLs without host names to resolve
        "LS_LOG": "warn",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "BUCKET_NAME": BUCKET,
        "QUEUE_URL": QUEUE,
        "DLQ_URL": DLQ,
        "KEY_TEMPLATES": os.environ.get("KEY_TEMPLATES", ""),
    }


def _ask(url: str) -> dict[str, Any] | None:
    """Return the JSON object at `url`; None when nobody answers with one (yet)."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_ASK_TIMEOUT_SECONDS) as answer:
            body = json.load(answer)
    except (OSError, ValueError):
        return None
    return body if isinstance(body, dict) else None
