"""The base class of the tables of a recipe, and the types of their values."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tagline.errors import nearest

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Grid = Annotated[tuple[Positive, ...], Field(min_length=1)]
# A Python function, or in a saved model its name: such a recipe can be loaded but not trained.
Function = Callable[..., Any] | Annotated[str, Field(pattern=r"^python:")]


def one_of(registry: Iterable[str]) -> BeforeValidator:
    """Return the check that a value is a name in a registry; the error names the nearest one.

    >>> OptimizerName = Annotated[str, one_of(OPTIMIZERS)]  # doctest: +SKIP
    """
    names = tuple(registry)

    def check(value: Any) -> Any:
        if value not in names:
            known = ", ".join(f"`{name}`" for name in names)
            raise ValueError(f"`{value}` is unknown.{nearest(str(value), names)} Known ones: {known}")
        return value

    return BeforeValidator(check)


class Table(BaseModel):
    """A table of a recipe: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _reject_booleans_as_numbers(cls, table: Any) -> Any:
        """Reject true and false where a number is expected, as pydantic would accept them as 1 and 0."""
        for key, field in cls.model_fields.items():
            if isinstance(table, dict) and isinstance(table.get(key), bool) and field.annotation is not bool:
                raise ValueError(f"`{key}` takes neither `true` nor `false`")
        return table
