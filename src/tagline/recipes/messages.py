"""Errors of validation as one sentence."""

from typing import get_args

from pydantic import BaseModel, ValidationError

from tagline.errors import nearest
from tagline.recipes.schema import Recipe


def error_sentence(error: ValidationError, source: str) -> str:
    """Return a sentence about the first error, with the nearest known key for an unknown one."""
    errors = error.errors()
    first = errors[0]
    if first["type"] == "literal_error":  # a word or a number: the error of the number is more helpful
        functions = ("callable_type", "string_pattern_mismatch")
        alternatives = [e for e in errors if e["loc"][:3] == first["loc"][:3] and e["type"] not in functions]
        first = alternatives[-1]
    place = [str(part) for part in first["loc"]]
    tables = _tables(place[0]) if place else ()
    if len(tables) > 1 and len(place) > 1:  # a union discriminated by `kind`, which is the second part of the location
        tables = tuple(table for table in tables if place[1] in get_args(table.model_fields["kind"].annotation))
        place = [place[0], *place[2:]]
    path = ".".join(place[:2])
    if first["type"] == "extra_forbidden":
        known = list(Recipe.model_fields) if len(place) == 1 else list(tables[0].model_fields)
        section = f"{place[0]}." if len(place) > 1 else ""
        hint = nearest(place[-1], known).replace("`", f"`{section}", 1)
        hint = hint or f" Known ones: {', '.join(f'`{section}{name}`' for name in known)}."
        return f"The recipe `{source}` has an unknown key `{path}`.{hint}"
    if first["type"] == "missing":
        return f"The recipe `{source}` lacks `{path}`."
    if first["type"] == "union_tag_not_found":
        return f"The recipe `{source}` lacks `{path}.kind`."
    if first["type"] == "union_tag_invalid":
        known = [kind for table in _tables(place[0]) for kind in get_args(table.model_fields["kind"].annotation)]
        given = first["ctx"]["tag"]
        hint = nearest(given, known) or f" Known ones: {', '.join(f'`{name}`' for name in known)}."
        return f"The recipe `{source}` has an unknown `{place[0]}.kind`, `{given}`.{hint}"
    message = first["msg"].removeprefix("Value error, ")
    where = f"has a wrong `{path}`" if path else "does not fit together"
    return f"The recipe `{source}` {where}: {message[0].lower() + message[1:]}."


def _tables(section: str) -> tuple[type[BaseModel], ...]:
    """Return the possible tables of a section of a recipe."""
    field = Recipe.model_fields.get(section)
    kinds = (field.annotation, *get_args(field.annotation)) if field else ()
    return tuple(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
