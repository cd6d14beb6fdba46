"""`python -m schemas`: prints the documents' JSON Schemas, or writes them into a directory."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.json_schemas import document_schema
from schemas.registry import Source


def schema_text(source: Source) -> str:
    """Return the text of a source's JSON Schema file."""
    return json.dumps(document_schema(source), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the schemas of the sources that were named, or write one file for each.

    Raises:
        SystemExit: a source is unknown; argparse says which are known.
    """
    parser = argparse.ArgumentParser(prog="schemas", description=__doc__)
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help=f"one of {', '.join(Source)}; all of them when left out",
    )
    parser.add_argument(
        "--write", type=Path, metavar="DIRECTORY", help="write <SOURCE>.json files there"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.sources) - set(Source):
        parser.error(f"unknown source {', '.join(sorted(unknown))}; known: {', '.join(Source)}")
    for source in map(Source, options.sources or Source):
        if options.write:
            options.write.mkdir(parents=True, exist_ok=True)
            path = options.write / f"{source}.json"
            path.write_text(schema_text(source), encoding="utf-8")
        else:
            sys.stdout.write(schema_text(source))


if __name__ == "__main__":
    main()
