"""The contracts as JSON Schema, for those who write documents without Python.

Says what each source is meant to send. Reading is more forgiving: a number in quotes, a renamed
field or an unknown one is taken and told as drift.
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from schemas.aliases import load_aliases
from schemas.registry import Source
from schemas.root_fields import RootFields

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


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
        "$schema": _DIALECT,
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
