"""`strength` of earlier versions: read in recipes and settings with a warning, in bundles without one."""

import warnings
from pathlib import Path

import pytest

from tagline import RecipeError, TextClassifier
from tagline.deprecated import TaglineDeprecationWarning
from tagline.recipes import Recipe, load_recipe, make_recipe

RECIPE = """
[recipe]
name = "mine"
summary = "mine"
[features]
words = 2
[model]
kind = "{kind}"
strength = "auto"
strengths = [0.1, 1.0]
"""


@pytest.mark.parametrize(("kind", "name"), [("logistic-regression", "C"), ("complement-nb", "alpha")])
def test_a_recipe_file_with_strength_is_read_with_a_warning(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(RECIPE.format(kind=kind), encoding="utf-8")
    with pytest.warns(TaglineDeprecationWarning) as caught:
        found = load_recipe(path)
    assert [str(warning.message) for warning in caught] == [
        f"`model.strength` is deprecated: it is called `model.{name}` for `{kind}`.",
        f"`model.strengths` is deprecated: it is called `model.{name}_grid` for `{kind}`.",
    ]
    assert getattr(found.model, name) == "auto"
    assert getattr(found.model, f"{name}_grid") == found.model.candidates == (0.1, 1.0)


@pytest.mark.parametrize(
    ("recipe", "settings", "name", "value"),
    [
        ("fast", ["model.strength=3"], "C", 3.0),
        ("fast", {"model.strength": 3}, "C", 3.0),
        ("naive-bayes", ["model.strength=3"], "alpha", 3.0),
        ("fast", ["model.strength=3", "model.kind=multinomial-nb"], "alpha", 3.0),
        ("fast", ["model.strength=3", "model.C=2"], "C", 2.0),
        ("fast", ["model.strengths=[5]"], "C_grid", (5.0,)),
    ],
)
def test_a_setting_of_strength_is_read_with_a_warning(recipe: str, settings: object, name: str, value: object) -> None:
    with pytest.warns(TaglineDeprecationWarning) as caught:
        found = load_recipe(recipe, settings)
    assert getattr(found.model, name) == value
    assert [Path(warning.filename).name for warning in caught] == ["test_renamed.py"]  # at the line of the caller


def test_trees_never_read_strength() -> None:
    with pytest.warns(TaglineDeprecationWarning, match="`random-forest` does not use it: leave it out"):
        assert load_recipe("random-forest", ["model.strength=3"]) == load_recipe("random-forest")


def test_a_wrong_strength_is_an_error_with_the_new_name() -> None:
    with (
        pytest.warns(TaglineDeprecationWarning),
        pytest.raises(RecipeError, match=r"wrong `model\.C`: input should be greater than 0"),
    ):
        load_recipe("fast", ["model.strength=0"])


def test_a_network_has_no_strength() -> None:
    with pytest.raises(RecipeError, match=r"unknown key `model\.strength`"):
        load_recipe("lstm", ["model.strength=1"])


def test_what_a_bundle_stored_is_read_without_a_warning() -> None:
    tables = load_recipe("naive-bayes").to_json()
    for name in ("C", "C_grid", "alpha_grid"):
        del tables["model"][name]
    tables["model"]["strength"] = tables["model"].pop("alpha")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert make_recipe(tables, "naive-bayes") == load_recipe("naive-bayes")


def test_a_classifier_warns_at_the_line_of_its_user() -> None:
    clf = TextClassifier(settings=["model.strength=2"])
    with pytest.warns(TaglineDeprecationWarning) as caught:
        clf.fit(["good film", "a joy", "bad film", "a bore"], ["pos", "pos", "neg", "neg"])
    assert Path(caught[0].filename).name == "test_renamed.py"
    assert clf.chosen_["C"] == 2.0


@pytest.mark.parametrize(
    ("recipe", "setting", "message"),
    [
        ("naive-bayes", "model.C=3", r"kind `multinomial-nb` does not read `model\.C`: it reads `model\.alpha`"),
        ("linear-svm", "model.alpha=3", r"kind `linear-svm` does not read `model\.alpha`: it reads `model\.C`"),
        ("random-forest", "model.C=3", r"kind `random-forest` does not read `model\.C`\."),
    ],
)
def test_a_value_without_effect_is_an_error(recipe: str, setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(recipe, [setting])


def test_auto_may_stay_when_the_kind_changes() -> None:
    found: Recipe = load_recipe("fast", ["model.kind=complement-nb"])
    assert (found.model.C, found.model.alpha, found.model.candidates) == ("auto", 1.0, (1.0,))
