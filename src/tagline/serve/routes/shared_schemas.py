"""Fields and error codes that several endpoints share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

POSITIVE_EXAMPLE = "A quiet masterpiece: I was moved to tears."
NEGATIVE_EXAMPLE = "Two hours that I will never get back."

JSON_BODY_ERRORS = (
    "overloaded",
    "malformed_json",
    "malformed_gzip",
    "invalid_utf8",
    "too_slow",
    "body_too_large",
    "unsupported_media_type",
    "invalid_request",
    "text_too_long",
    "unknown_model",
    "timed_out",
)
ModelName = Annotated[
    str | None, Field(max_length=200, description="The name of a model; the first one if it is left out.")
]
Version = Annotated[str, Field(description="The SHA-256 of the index of the model's bundle.")]
Truncated = Annotated[bool, Field(description="Whether the text was too long and was cut.")]


class TextRequest(BaseModel):
    """Fields common to all requests with texts."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: ModelName = None
    truncate: bool = Field(
        default=False, description="Cut a text that is too long instead of rejecting it; the answer says so."
    )
