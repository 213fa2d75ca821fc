"""What requests and answers hold; the description of the service is made of these."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

GOOD, BAD = "A quiet masterpiece: I was moved to tears.", "Two hours that I will never get back."


def _one_of_text_and_texts(schema: dict[str, Any]) -> None:
    for name in ("text", "texts"):
        schema["properties"][name].pop("default", None)
    schema["oneOf"] = [{"required": ["text"]}, {"required": ["texts"]}]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = Field(
        default=None, max_length=200, description="The name of a model; the first one if left out."
    )
    truncate: bool = Field(
        default=False, description="Cut a text that is too long instead of refusing it; the answer says so."
    )


class PredictRequest(_Request):
    """One text, or several."""

    model_config = ConfigDict(
        json_schema_extra=_one_of_text_and_texts,
    )

    text: str = Field(default="", description="The text to classify.")
    texts: list[str] = Field(
        default=[], min_length=1, fail_fast=True, description="The texts to classify, in place of `text`."
    )
    top_k: int = Field(default=0, ge=0, le=10_000, description="How many of the most probable classes to list.")
    probabilities: bool = Field(default=False, description="Give the probability of each class.")
    threshold: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Decide for the positive class (for each label) only above this probability.",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if ("text" in self.model_fields_set) == ("texts" in self.model_fields_set):
            raise ValueError("Give `text` or `texts`, one of them")
        return self


class ExplainRequest(_Request):
    """One text, and the class whose score to explain."""

    text: str = Field(description="The text to explain.")
    class_name: str | None = Field(
        default=None, alias="class", max_length=1000, description="The class to explain; the predicted one if left out."
    )


class FileQuery(BaseModel):
    """What to do with an uploaded file."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(default=None, description="The name of a model; the first one if left out.")
    text: list[str] = Field(default=[], description="The text column; several are joined. Found by itself if it can.")
    format: Literal["csv", "jsonl"] | None = Field(
        default=None, description="What to send back; the file's own format if left out."
    )
    top_k: int = Field(default=0, ge=0, le=10_000, description="Add so many of the most probable classes.")
    probabilities: bool = Field(default=False, description="Add the probability of each class.")
    threshold: float | None = Field(
        default=None, ge=0, le=1, description="Decide for the positive class (for each label) only above this."
    )


class ModelQuery(BaseModel):
    """Which model."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(default=None, description="The name of a model; the first one if left out.")


class ClassProbability(BaseModel):
    """One class and its probability."""

    class_name: str = Field(alias="class")
    probability: float


class Prediction(BaseModel):
    """What the model says of one text."""

    prediction: str | list[str] = Field(description="The class; a list of labels of a multi-label model.")
    probability: float | None = Field(description="Of the prediction; null of a multi-label model.")
    probabilities: dict[str, float] | None = Field(default=None, description="Of each class, if asked for.")
    top: list[ClassProbability] | None = Field(default=None, description="The most probable classes, if asked for.")
    truncated: bool = Field(description="Whether the text was too long and was cut.")


class PredictAnswer(BaseModel):
    """A prediction for each text, in their order."""

    model: str
    version: str = Field(description="The SHA-256 of the index of the model's bundle.")
    predictions: list[Prediction]


class Contribution(BaseModel):
    """What one n-gram or word adds to the score, and where it stands."""

    name: str
    value: float
    spans: list[tuple[int, int]] = Field(description="Start and end, in Unicode code points.")


class ExplainAnswer(BaseModel):
    """`score` is `intercept` plus the values of all contributions (of a network: within 1 %)."""

    model: str
    version: str
    prediction: str | list[str]
    probabilities: dict[str, float]
    class_name: str = Field(alias="class")
    probability: float
    scale: str = Field(description="`log-odds`, `score` or `probability`.")
    intercept: float
    score: float
    contributions: list[Contribution]
    words: list[tuple[int, int, float]] = Field(description="Start, end and value of each token, in code points.")
    truncated: bool


class ModelName(BaseModel):
    """One model that is served."""

    name: str
    title: str
    version: str
    default: bool


class ModelsAnswer(BaseModel):
    """All models that are served."""

    models: list[ModelName]


class ModelAnswer(BaseModel):
    """What there is to know of a model."""

    model_config = ConfigDict(extra="allow")

    name: str
    version: str
    tagline: str = Field(description="The version of tagline that serves it.")
    title: str
    task: str
    classes: list[str]


class Health(BaseModel):
    """Whether the server is there."""

    status: str


class ErrorBody(BaseModel):
    """What went wrong: a code for programs, a sentence for people."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """The answer to every request that is refused."""

    error: ErrorBody
