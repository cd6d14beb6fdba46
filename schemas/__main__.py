"""`python -m schemas`: the contracts as JSON Schema, for those who write without Python.

Says what each source is meant to send. Reading is more forgiving: a number in quotes, a renamed
field or an unknown one is taken and told as drift.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from schemas.aliases import load_aliases
from schemas.registry import RootFields, Source


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, _schema: Any) -> bool:
        """Leave out titles: a field's title would be its name, badly spelt."""
        return False


def document_schema(source: Source) -> dict[str, Any]:
    """Return the JSON Schema of one source's documents: the root and the list in it."""
    record = source.entry.model
    _, schema = models_json_schema(
        [(RootFields, "validation"), (record, "validation")], schema_generator=_Untitled
    )
    definitions = schema["$defs"]
    root = definitions.pop(RootFields.__name__)
    records = {"items": {"$ref": f"#/$defs/{record.__name__}"}, "type": "array"}
    fields = root["properties"] | {source.entry.list_field: {"anyOf": [records, {"type": "null"}]}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": source.value,
        "description": _description(source),
        "type": "object",
        "properties": fields,
        "$defs": definitions,
    }


def _description(source: Source) -> str:
    names = load_aliases().at(source, "")
    renamed = ", ".join(f"{canonical} may be called {alias}" for alias, canonical in names)
    what = "guest checks" if source.holds_checks else "one store and business date, all of it"
    return f"A document of {what}; {renamed}. An empty list, null or no list is an empty day."


def schema_text(source: Source) -> str:
    """Return the text of a source's JSON Schema file."""
    return json.dumps(document_schema(source), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the schemas of the sources that were named, or write one file for each."""
    parser = argparse.ArgumentParser(
        prog="schemas", description="Print the documents' JSON Schemas, or write them to files."
    )
    known = ", ".join(Source)
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=f"of {known}; default: all")
    parser.add_argument(
        "--write", type=Path, metavar="DIRECTORY", help="write <SOURCE>.json files there"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.sources) - set(Source):
        parser.error(f"unknown source {', '.join(sorted(unknown))}; known: {known}")
    for source in map(Source, options.sources or Source):
        if options.write:
            options.write.mkdir(parents=True, exist_ok=True)
            options.write.joinpath(f"{source}.json").write_text(
                schema_text(source), encoding="utf-8"
            )
        else:
            sys.stdout.write(schema_text(source))


if __name__ == "__main__":
    main()
