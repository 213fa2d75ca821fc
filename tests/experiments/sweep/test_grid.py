"""Variants of a sweep, and requests that are refused before the first trial."""

from pathlib import Path

import pytest

from tagline.errors import RecipeError
from tagline.experiments.sweep.grid import Variant, grid_variants, listed_variants, split_values, varied
from tagline.recipes import format_recipe, load_recipe


def words(variants: list[Variant]) -> list[str]:
    return [variant.words for variant in variants]


def test_a_grid_is_every_combination() -> None:
    found = grid_variants(["multihot-dense"], ["model.dropout=0.5"], ["model.layers=1,2", "training.loss=mse,bce"])
    assert words(found) == [
        "model.layers=1 training.loss=mse",
        "model.layers=1 training.loss=bce",
        "model.layers=2 training.loss=mse",
        "model.layers=2 training.loss=bce",
    ]
    assert found[2].recipe == load_recipe(
        "multihot-dense", ["model.dropout=0.5", "model.layers=2", "training.loss=mse"]
    )
    assert varied(found) == {"model.layers": ["1", "2"], "training.loss": ["mse", "bce"]}


def test_recipes_are_a_setting_like_others() -> None:
    found = grid_variants(["fast", "linear-svm"], [], ["model.C=1,3"])
    assert words(found)[1:3] == ["fast model.C=3", "linear-svm model.C=1"]
    assert list(varied(found)) == ["recipe", "model.C"]


def test_a_list_is_not_expanded_to_a_grid() -> None:
    found = listed_variants(["fast"], [], ["", "model.C=3 'features.characters=[2, 5]'", "features.words=2"])
    assert words(found) == ["fast", "model.C=3 features.characters=[2, 5]", "features.words=2"]
    assert found[0].recipe == load_recipe("fast")
    assert varied(found)["features.words"] == ["", "2"]


def test_a_variant_is_written_and_read() -> None:
    (variant,) = grid_variants(["cnn"], [], ["model.width=5"])
    assert Variant.from_json(variant.to_json(), "sweep.json") == variant


@pytest.mark.parametrize(
    ("listed", "values"),
    [
        ("1,2, 3", ["1", "2", "3"]),
        ("[2,5],none", ["[2,5]", "none"]),
        ("\"a,b\",'c,d'", ['"a,b"', "'c,d'"]),
        ("[[1,2],[3]],x", ["[[1,2],[3]]", "x"]),
        ("1,", ["1", ""]),
    ],
)
def test_commas_in_brackets_and_quotes_do_not_separate(listed: str, values: list[str]) -> None:
    assert split_values(listed) == values


@pytest.mark.parametrize(
    ("recipes", "grid", "message"),
    [
        ("multihot-dense", "model.activation=relu,gelu", r"`--grid model\.activation=gelu`: .*'relu' or 'tanh'"),
        ("multihot-dense", "model.units=16,0", r"`--grid model\.units=0`: .*greater than or equal to 1"),
        ("multihot-dense", "model.unit=16,32", r"`model\.unit`\. Did you mean `model\.units`\?"),
        ("fast", "features.characters=[5,2],none", r"`--grid features\.characters=\[5,2\]`: .*the shorter first"),
        ("cnn", "model.width=3,5 features.maxlen=4,9", r"`--grid model\.width=5 features\.maxlen=4`: .*not be more"),
        ("fast", "model.C=1 model.C=2", r"`--grid model\.C` is given twice"),
        ("fast", "model.C=1,1", r"`model\.C=1` is given twice"),
        ("multihot-dense", "training.loss=mse,mean_squared_error", r"`training\.loss=mse` and `.*` are the same"),
        ("fast", "model.C=1,", r"has an empty value"),
        ("fast", "strength", r"is not of the form `section\.key=a,b,c`"),
        ("fast", "protocol.validation=0.1,0.2", r"selects the held-out rows"),
        ("fast fast", "model.C=1", r"given twice with `--recipe`"),
        ("fats", "model.C=1", r"no recipe `fats`"),
    ],
)
def test_an_impossible_grid_names_the_key_and_what_is_allowed(recipes: str, grid: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        grid_variants(recipes.split(), [], grid.split())


def test_a_value_that_is_wrong_with_one_recipe_only_is_named_with_it() -> None:
    with pytest.raises(
        RecipeError, match=r"`--grid model\.units=16`: The recipe `fast` has an unknown key `model\.units`"
    ):
        grid_variants(["multihot-dense", "fast"], [], ["model.units=16"])


@pytest.mark.parametrize(
    ("tries", "message"),
    [
        (["model.C=0"], r"`--try model\.C=0`: .*greater than 0"),
        (["model.C"], r"is not of the form"),
        (["model.C=1 model.C=2"], r"gives `model\.C` twice"),
        (["model.C=1", "model.C=1"], r"is given twice"),
        (["model.C='1"], r"cannot be read: no closing quotation"),
        (["features.words=2"], r"given with `--set` and with `--try`"),
    ],
)
def test_an_impossible_list_is_one_sentence(tries: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        listed_variants(["fast"], ["features.words=1"], tries)


def test_far_too_many_combinations_are_refused_at_once() -> None:
    values = ",".join(map(str, range(1, 200)))
    with pytest.raises(RecipeError, match=r"39,601 combinations"):
        grid_variants(["multihot-dense"], [], [f"model.units={values}", f"training.epochs={values}"])


def test_a_recipe_file_keeps_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[recipe]\nname = "other"\nsummary = ""\n[features]\n[model]\nkind = "linear-svm"\n')
    (variant,) = grid_variants([path], [], ["model.C=3"])
    assert variant.source == str(path)


def test_recipes_with_the_same_name_are_labelled_by_their_paths(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(format_recipe(load_recipe("fast", ["features.words=1"]), "mine"))
    found = grid_variants(["fast", "linear-svm", mine], [], [])
    assert words(found) == ["fast", "linear-svm", str(mine)]
    assert varied(found) == {"recipe": ["fast", "linear-svm", str(mine)]}
