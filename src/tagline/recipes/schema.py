"""`Recipe`: the tables of a recipe, checked one by one and together."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from tagline.calibration import CALIBRATORS
from tagline.recipes.features import Features, kinds_for
from tagline.recipes.models import NETWORKS, NetworkModel, NgramModel
from tagline.recipes.tables import Count, Table, one_of
from tagline.recipes.training import Training


class About(Table):
    """``[recipe]``: name, summary, source and expected accuracy; ``note`` is a sentence for the report."""

    name: str
    summary: str
    source: str = ""
    expects: str = ""
    note: str = ""


class Protocol(Table):
    """``[protocol]``: validation, refit and calibration.

    ``validation``: the share of the rows, in twentieths, held out to choose settings and to calibrate; a number of
    first rows (networks); ``"auto"``: cross-validation for little data and for thresholds of labels, otherwise a tenth;
    or ``"none"``.
    ``refit``: fit again on all rows afterwards; a network is trained from scratch, for as many epochs as gave the
    lowest validation loss (``"best-epoch"``, the same as ``"all"``) or for a number of epochs, at most
    ``training.epochs``.
    ``calibration``: how probabilities are calibrated on held-out rows: a key of ``tagline.calibration.CALIBRATORS``,
    ``"auto"`` for the one with the lowest log loss, or ``"none"``.
    ``thresholds``: ``"one"`` threshold for all labels of a set, of the best micro F1 on held-out rows, or one
    ``"per-label"``, of the best sum of macro and micro F1; other tasks ignore it.
    """

    validation: Literal["auto", "none"] | int | float = "auto"
    refit: Literal["no", "all", "best-epoch"] | Count = "all"
    calibration: Annotated[str, one_of(["none", "auto", *CALIBRATORS])] = "temperature"
    thresholds: Literal["one", "per-label"] = "one"

    @field_validator("refit", mode="before")
    @classmethod
    def _words_or_epochs(cls, refit: Any) -> Any:
        if refit not in ("no", "all", "best-epoch") and not (isinstance(refit, int) and refit >= 1):
            raise ValueError("it must be `no`, `all`, `best-epoch` or, for a network, a number of epochs from 1")
        return refit

    @model_validator(mode="after")
    def _check(self) -> "Protocol":
        first = isinstance(self.validation, int) and self.validation > 0
        if not isinstance(self.validation, str) and not (first or 0 < self.validation < 1):
            raise ValueError("`protocol.validation` must be a share between 0 and 1 or a number of first rows")
        return self


class Recipe(Table):
    """A named training programme: features, model, training and protocol."""

    recipe: About
    features: Annotated[Features, Field(discriminator="kind")]
    model: Annotated[NgramModel | NetworkModel, Field(discriminator="kind")]
    training: Training | None = None
    protocol: Protocol = Protocol()

    def __repr__(self) -> str:
        """Return the name in place of all keys, which `to_json` returns: a classifier shows its recipe."""
        return f"<Recipe {self.recipe.name!r}>"

    def to_json(self) -> dict[str, Any]:
        """Return the tables as JSON values; a file of word vectors without its folder, which may be private."""
        tables = self.model_dump(mode="json")
        if "vectors" in tables["model"]:
            tables["model"]["vectors"] = Path(tables["model"]["vectors"]).name
        return tables

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, tables: Any) -> Any:
        """Add the ``[training]`` table of a network and the kind of n-gram features if they are missing."""
        if not isinstance(tables, dict):
            return tables
        tables = dict(tables)
        if isinstance(features := tables.get("features"), dict):
            tables["features"] = {"kind": "ngrams", **features}
        if isinstance(model := tables.get("model"), dict) and model.get("kind") in _NETWORK_KINDS:
            tables["training"] = tables.get("training") or {}
        return tables

    @model_validator(mode="after")
    def _check(self) -> "Recipe":
        network = isinstance(self.model, NETWORKS)
        if self.features.kind not in (kinds := kinds_for(self.model)):
            wanted = " or ".join(f'"{kind}"' for kind in kinds)
            raise ValueError(f"a model of kind `{self.model.kind}` takes `features.kind = {wanted}`")
        if not network and self.training is not None:
            raise ValueError(f"a model of kind `{self.model.kind}` has no epochs, so there is no table `[training]`")
        if not network and (isinstance(self.protocol.validation, int) or self.protocol.refit not in ("no", "all")):
            raise ValueError("first rows and epochs in `[protocol]` are for networks")
        refits = self.protocol.validation != "none" and self.protocol.refit in ("all", "best-epoch")
        if self.training is not None and self.training.schedule != "constant" and refits:
            raise ValueError(
                f"with `training.schedule` at `{self.training.schedule}`, a training of fewer epochs is another than "
                "that in which the best epoch was found: give `protocol.refit` a number of epochs, or `no`"
            )
        width = getattr(self.model, "width", 1)
        if width > getattr(self.features, "maxlen", width):
            raise ValueError("`model.width` must not be more than `features.maxlen`")
        return self


_NETWORK_KINDS = tuple(kind for model in NETWORKS for kind in get_args(model.model_fields["kind"].annotation))
