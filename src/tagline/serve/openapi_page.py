"""The OpenAPI description as an HTML page, without scripts and without external resources."""

from typing import Any

from pydantic_core import to_json


def documentation_page(description: dict[str, Any]) -> str:
    """Return an OpenAPI description as HTML."""
    from jinja2 import Environment, PackageLoader  # imported on the first request: it takes a tenth of a second

    from tagline.report.rendering import prose

    schemas: dict[str, Any] = description.get("components", {}).get("schemas", {})

    def fields(schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = schemas.get(name, schema).get("properties", {})
        return found

    environment = Environment(
        loader=PackageLoader("tagline.serve"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["prose"] = prose
    operations = [
        (method.upper(), path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    return environment.get_template("documentation.html.j2").render(
        info=description["info"],
        operations=operations,
        schemas=schemas,
        fields=fields,
        type_of=_type_of,
        pretty=lambda value: to_json(value, indent=2).decode(),
    )


def _type_of(schema: dict[str, Any]) -> str:
    """Return the types of a field, as in ``string or null``; those of objects by the name of their schema."""
    kinds = schema.get("anyOf") or [schema]
    return " or ".join(kind.get("type") or kind.get("$ref", "").rpartition("/")[2] for kind in kinds)
