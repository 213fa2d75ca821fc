"""Built-in recipes load, and errors name the nearest valid name."""

import doctest
from pathlib import Path

import pytest

from tagline import RecipeError
from tagline.recipes import NETWORKS, Protocol, Training, load_recipe, recipe_names
from tagline.recipes import load as recipe

OWN = """
[recipe]
name = "mine"
summary = "my own"
[features]
words = 2
[model]
kind = "logistic-regression"
"""


def test_docstring() -> None:
    result = doctest.testmod(recipe)
    assert result.attempted == 2
    assert result.failed == 0


def test_recipe_names_start_with_fast() -> None:
    files = {path.stem for path in Path(recipe.__file__).parent.glob("*.toml")}
    names = recipe_names()
    assert names[0] == "fast"
    assert set(names) == files
    assert list(names[1:]) == sorted(names[1:])
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", recipe_names())
def test_built_in(name: str) -> None:
    loaded = load_recipe(name)
    assert loaded.recipe.name == name
    assert loaded.recipe.summary
    assert loaded.recipe.source
    assert recipe.make_recipe(loaded.model_dump(mode="json"), "again") == loaded
    assert recipe.make_recipe(loaded.model_dump(), "again") == loaded
    assert (loaded.training is not None) == isinstance(loaded.model, NETWORKS)


def test_recipes_from_before_networks_still_load() -> None:
    """Bundles keep their recipe: one without kinds of features and without a training is one of n-grams."""
    tables = load_recipe("fast").model_dump(mode="json")
    del tables["features"]["kind"], tables["training"]
    assert recipe.make_recipe(tables, "fast") == load_recipe("fast")


def test_a_network_has_a_default_training_table() -> None:
    tables = load_recipe("gru").model_dump(mode="json")
    del tables["training"]
    assert recipe.make_recipe(tables, "gru").training == Training()


@pytest.mark.parametrize(
    ("given", "loss"),
    [
        ("mse", "mean_squared_error"),
        ("sparse_categorical_crossentropy", "categorical_crossentropy"),
        ("binary_crossentropy", "binary_crossentropy"),
        ("BCE", "binary_crossentropy"),
        ("mae", "mean_absolute_error"),
    ],
)
def test_losses_and_metrics_have_keras_names(given: str, loss: str) -> None:
    loaded = load_recipe("gru", {"training.loss": given, "training.metrics": ["acc", given]}).training
    assert loaded.loss == loss
    assert loaded.metrics == ("accuracy", loss)


@pytest.mark.parametrize("metric", ["accuracy", len])
def test_one_metric_needs_no_list(metric) -> None:
    assert load_recipe("gru", {"training.metrics": metric}).training.metrics == (metric,)


def test_functions_are_stored_by_name() -> None:
    settings = {"training.optimizer": max, "training.loss": min, "training.metrics": ("accuracy", len)}
    loaded = load_recipe("gru", settings)
    assert (loaded.training.optimizer, loaded.training.loss) == (max, min)
    assert loaded.training.metrics == ("accuracy", len)
    written = loaded.model_dump(mode="json")["training"]
    assert written["optimizer"] == "python:builtins.max"
    assert written["metrics"] == ["accuracy", "python:builtins.len"]
    again = recipe.make_recipe(loaded.model_dump(mode="json"), "gru")
    assert again.training.loss == "python:builtins.min"
    assert recipe.make_recipe(again.model_dump(mode="json"), "gru") == again


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ((), "auto"),
        (["model.C=3"], 3.0),
        (["model.C = 0.5 "], 0.5),
        ("model.C=2", 2.0),
        (["model.C=1", "model.C=auto"], "auto"),
        ({"model.C": 7}, 7.0),
    ],
)
def test_settings_change_a_recipe(settings, value) -> None:
    assert load_recipe("fast", settings).model.model_dump()["C"] == value


def test_settings_take_toml_values_and_bare_words() -> None:
    changed = load_recipe(
        "fast",
        [
            "features.characters=[3, 4]",
            "features.unit=false",
            "features.tf=count",
            'features.scale="idf"',
            "model.C_grid=[1,2]",
        ],
    )
    assert changed.features.characters == (3, 4)
    assert changed.features.unit is False
    assert (changed.features.tf, changed.features.scale) == ("count", "idf")
    assert changed.model.C_grid == (1.0, 2.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["model.alhpa=3"], r"unknown key `model\.alhpa`\. Did you mean `model\.alpha`\?"),
        (["modle.kind=x"], r"unknown key `modle`\. Did you mean `model`\?"),
        (["features.qqqq=1"], r"unknown key `features\.qqqq`\. Known ones: .*`features\.words`"),
        (["model.kind=linear-smv"], r"unknown `model\.kind`, `linear-smv`\. Did you mean `linear-svm`\?"),
        (["model.kind=qqqq"], r"unknown `model\.kind`, `qqqq`\. Known ones: `linear-svm`, .*`lstm`"),
        (["model.kind=lstm"], r"unknown key `model\.C`\. Known ones: .*`model\.memory`"),
        (["model.C=0"], r"wrong `model\.C`: input should be greater than 0"),
        (["model.C=-1"], "greater than 0"),
        (["model.C=nan"], r"wrong `model\.C`"),
        (["model.C=inf"], r"`model\.C`: input should be a finite number"),
        (["model.C_grid=[]"], r"wrong `model\.C_grid`: tuple should have at least 1 item"),
        (["model.C=strong"], r"wrong `model\.C`"),
        (["model.blend=-0.1"], r"wrong `model\.blend`"),
        (
            ["model.kind=logistic-regression", "model.blend=0.3"],
            "not read `model.blend`: only `linear-svm`",
        ),
        (["model.n_trees=0"], r"wrong `model\.n_trees`"),
        (["features.words=9"], r"wrong `features\.words`"),
        (["features.words=0", "features.characters=none"], "there are no n-grams to count"),
        (["features.characters=[4, 2]"], "two lengths from 1 to 8, the shorter first"),
        (["features.min_df=0"], r"`features\.min_df` must be from 1 to 2,147,483,647"),
        (["features.min_df=2147483648"], r"`features\.min_df` must be from 1 to 2,147,483,647"),
        (["features.floor=-1"], r"wrong `features\.floor`"),
        (["features.floor=1001"], r"wrong `features\.floor`"),
        (["features.floor=nan"], r"wrong `features\.floor`"),
        (["protocol.validation=1.5"], r"`protocol\.validation` must be a share between 0 and 1 or a number"),
        (["protocol.refit=maybe"], r"wrong `protocol\.refit`"),
        (["C=3"], r"`C` is not of the form `section\.key`"),
        (["a.b.c=3"], r"`a\.b\.c` is not of the form `section\.key`"),
        (["model.C"], r"`model\.C` is not of the form `section\.key=value`"),
        ({"model.kind": None}, r"unknown `model\.kind`, `None`"),
        (["training.epochs=3"], r"`linear-svm` has no epochs, so there is no table `\[training\]`"),
        (["protocol.validation=100"], r"first rows and epochs in `\[protocol\]` are for networks"),
        (["protocol.refit=3"], r"first rows and epochs in `\[protocol\]` are for networks"),
        (["protocol.refit=best-epoch"], "are for networks"),
    ],
)
def test_an_invalid_setting_of_ngrams_is_explained(settings, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe("fast", settings)
    assert "`fast`" in str(caught.value) or "form" in str(caught.value)
    assert str(caught.value).endswith((".", "?"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "setting", "message"),
    [
        ("lstm", "model.memory=0", r"wrong `model\.memory`: input should be greater than or equal to 1"),
        ("lstm", "model.filters=3", r"unknown key `model\.filters`"),
        ("lstm", "model.pooling=mean", r"wrong `model\.pooling`: input should be 'last' or 'max'"),
        ("lstm", "model.dropout=1", r"wrong `model\.dropout`: input should be less than 1"),
        ("lstm", "training.batchsize=3", r"unknown key `training\.batchsize`\. Did you mean `training\.batch_size`\?"),
        (
            "lstm",
            "training.optimizer=adamw",
            r"wrong `training\.optimizer`: `adamw` is unknown\. Did you mean `adam`\? Known ones: `adam`, .*`sgd`\.$",
        ),
        ("lstm", "training.loss=hinge", r"wrong `training\.loss`: `hinge` is unknown.*`categorical_crossentropy`"),
        (
            "lstm",
            'training.metrics=["f1"]',
            r"wrong `training\.metrics`: `f1` is unknown.*`accuracy`, .*`mean_absolute_error`",
        ),
        ("lstm", "training.learning_rate=0", r"wrong `training\.learning_rate`: .*greater than 0"),
        ("lstm", "training.learning_rate=inf", r"wrong `training\.learning_rate`"),
        ("lstm", "training.epochs=0", r"wrong `training\.epochs`"),
        ("lstm", "features.num_words=3", r"wrong `features\.num_words`"),
        ("lstm", "features.maxlen=0", r"wrong `features\.maxlen`"),
        ("lstm", "features.padding=left", r"wrong `features\.padding`: input should be 'pre' or 'post'"),
        ("lstm", "protocol.refit=0", r"wrong `protocol\.refit`: .*`best-epoch` or, for a network, a number of epochs"),
        (
            "lstm",
            "protocol.refit=maybe",
            r"wrong `protocol\.refit`: .*`best-epoch` or, for a network, a number of epochs",
        ),
        ("lstm", "protocol.refit=true", "`refit` takes neither `true` nor `false`"),
        ("lstm", "protocol.validation=true", "`validation` takes neither `true` nor `false`"),
        ("lstm", "training.epochs=true", r"wrong `training`: `epochs` takes neither `true` nor `false`"),
        ("lstm", "model.memory=false", r"wrong `model`: `memory` takes neither `true` nor `false`"),
        ("gru", "protocol.refit=best-epoch", r"`training\.schedule` at `cosine`.* give `protocol\.refit` a number"),
        ("gru", "protocol.refit=all", r"`training\.schedule` at `cosine`.* give `protocol\.refit` a number"),
        ("lstm-masked", "training.metrics=accurate", r"wrong `training\.metrics`"),
        ("lstm", "protocol.validation=0", r"a share between 0 and 1 or a number of first rows"),
        ("lstm", "protocol.validation=-5", r"a share between 0 and 1 or a number of first rows"),
        ("lstm", "protocol.validation=1.0", r"a share between 0 and 1 or a number of first rows"),
        ("cnn", "features.maxlen=2", r"`model\.width` must not be more than `features\.maxlen`"),
        ("multihot-dense", "features.maxlen=20", r"unknown key `features\.maxlen`"),
        ("multihot-dense", "features.kind=sequence", r"kind `dense` takes `features\.kind = \"multihot\"`"),
        ("gru", "features.kind=multihot", r"unknown key `features\.maxlen`|takes `features\.kind = \"sequence\"`"),
    ],
)
def test_an_invalid_setting_of_a_network_is_explained(name: str, setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(name, [setting])
    assert f"`{name}`" in str(caught.value)
    assert str(caught.value).endswith((".", "?"))
    assert "\n" not in str(caught.value)


def test_a_schedule_needs_a_number_of_epochs_or_no_refit() -> None:
    for settings in (["protocol.refit=3"], ["protocol.refit=no"], ["protocol.refit=all", "protocol.validation=none"]):
        assert load_recipe("gru", settings).training.schedule == "cosine"
    assert load_recipe("gru", ["protocol.refit=all", "training.schedule=constant"]).protocol.refit == "all"


def test_a_window_may_span_the_whole_row() -> None:
    assert load_recipe("cnn", ["features.maxlen=3", "model.width=3"]).features.maxlen == 3


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"no recipe `fats`\. Did you mean `fast`\? Known ones: `fast`, .*\.toml"):
        load_recipe("fats")


def test_a_recipe_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN, encoding="utf-8")
    for given in (path, str(path)):
        loaded = load_recipe(given, ["model.C=2"])
        assert (loaded.recipe.name, loaded.features.words, loaded.model.C) == ("mine", 2, 2.0)
        assert loaded.protocol == Protocol()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OWN.replace("[features]", "[feature]"), r"lacks `features`|unknown key `feature`\. Did you mean `features`\?"),
        (OWN.replace('kind = "logistic-regression"', ""), r"lacks `model\.kind`"),
        (OWN.replace("words = 2", "words = "), "is not TOML"),
        (OWN.replace("words = 2", "words = " + "[" * 5000 + "]" * 5000), "is not TOML: it is nested too deeply"),
        (OWN.replace("words = 2", "words = " + "9" * 5000), "is not TOML: Exceeds the limit"),
        ("model = 3\n" + OWN.replace("[model]", "[protocol]"), r"`model` in the recipe .* is not a table"),
    ],
)
def test_the_error_of_an_invalid_file_names_it(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(path, ["model.C=2"])
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_an_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "gone.toml"
    if content:
        path.write_bytes(content)
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(path)
