"""`python -m deploy.policies`: let parliament judge every policy; `make lint` runs it.

It knows which actions and resource types AWS has, so a misspelt one is found without AWS.
"""

import json
import sys
import warnings

from deploy.policies import NAMES, lake_values, rendered

SAMPLE = {
    **lake_values(
        "coco-lake",
        "arn:aws:sqs:us-east-1:123456789012:coco-ingest",
        "arn:aws:sqs:us-east-1:123456789012:coco-ingest-dlq",
        ("raw/", "dados/"),
    ),
    "key_arn": "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000",
    "user_arn": "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/coco",
    "glue_arn": "arn:aws:glue:us-east-1:123456789012",
    "glue_database": "coco",
    "tasks_arn": "arn:aws:ecs:us-east-1:123456789012:task/coco-ingest/*",
}


def findings(policy: str) -> list[str]:
    """Return what parliament finds wrong with a policy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parliament leaves its own data files open
        from parliament import analyze_policy_string  # noqa: PLC0415 - it warns when imported
        from parliament.finding import Finding  # noqa: PLC0415

        found: list[Finding] = analyze_policy_string(policy).findings
    return [f"{one.issue}: {one.detail}" for one in found]


def main() -> int:
    """Print the findings; return 1 if there are any."""
    wrong = [
        f"{name}: {finding}"
        for name in NAMES
        for finding in findings(json.dumps(rendered(name, SAMPLE)))
    ]
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
