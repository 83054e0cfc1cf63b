"""Instants in answers: ISO-8601 in JSON, and text in everything that describes it."""

from typing import Any

from litestar.openapi.spec import OpenAPIType, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from api.times import iso
from clickhouse.reader import Instant

ENCODERS = {Instant: iso}


class InstantSchema(OpenAPISchemaPlugin):
    """For OpenAPI."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        return value is Instant

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        return Schema(type=OpenAPIType.STRING)


def json_schema(kind: type) -> dict[str, Any]:
    """For msgspec's JSON Schema. Raises NotImplementedError for any other type, as it asks."""
    if kind is not Instant:
        raise NotImplementedError
    return {"type": "string"}
