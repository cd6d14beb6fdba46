"""The IAM policies of the programs, one template each, filled in by Terraform and by tests alike.

Templates hold `${name}` and nothing else of Terraform's language; `docs/deploy.md` says who gets
which. `documents` is a JSON list: the keys that hold documents, `raw/*` and what `KEY_TEMPLATES`
adds.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

HERE = Path(__file__).parent
NAMES = tuple(sorted(path.name.partition(".")[0] for path in HERE.glob("*.json.tftpl")))


def rendered(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return a policy with its placeholders filled in.

    Raises:
        KeyError: the template has a placeholder that `values` lacks.
    """
    template = (HERE / f"{name}.json.tftpl").read_text(encoding="utf-8")
    policy: dict[str, Any] = json.loads(Template(template).substitute(values))
    return policy


def lake_values(
    bucket: str, queue_arn: str, dlq_arn: str, prefixes: tuple[str, ...] = ("raw/",)
) -> dict[str, str]:
    """Return the values of a lake in which documents lie under the prefixes."""
    bucket_arn = f"arn:aws:s3:::{bucket}"
    return {
        "bucket_arn": bucket_arn,
        "queue_arn": queue_arn,
        "dlq_arn": dlq_arn,
        "documents": json.dumps([f"{bucket_arn}/{prefix}*" for prefix in prefixes]),
    }
