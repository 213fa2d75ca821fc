"""Sentences of the summary of a sweep."""

import shlex
from pathlib import Path

import pytest

from tagline.experiments.sweep.effects import Estimate, Shares
from tagline.experiments.sweep.folder import SweepRequest
from tagline.experiments.sweep.grid import Variant, grid_variants, listed_variants
from tagline.experiments.sweep.results import Combination, Results, Value
from tagline.experiments.sweep.summary import (
    AS_IT_IS,
    between,
    command_for_best,
    conclusion,
    setting_columns,
    setting_sentence,
)


def combination(variant: Variant, accuracy: float, behind: Estimate | None) -> Combination:
    around = Estimate(accuracy, accuracy - 0.01, accuracy + 0.01)
    name = variant.recipe.recipe.name
    return Combination(variant.words, name, variant.settings, [accuracy, accuracy], around, behind)


def results(combinations: list[Combination], effects: dict[str, list[Value]], shares: Shares | None) -> Results:
    return Results(6, 0, 2, 1000, combinations, effects, shares, 0.002, {})


VALUES = [
    Value("1", Estimate(0.9, 0.88, 0.92), None, [0.9]),
    Value("3", Estimate(0.895, 0.87, 0.91), Estimate(0.005, -0.004, 0.014), [0.895]),
    Value("10", Estimate(0.85, 0.83, 0.87), Estimate(0.05, 0.03, 0.07), [0.85]),
]


def test_the_sentence_of_a_setting_names_the_lead_and_ties() -> None:
    assert setting_sentence("model.C", VALUES) == (
        "`model.C`: `1` is best, with 90.0 % on average; it leads `10` by 5.0 points (3.0 to 7.0); "
        "`3` is within noise of it."
    )
    assert setting_sentence("model.C", VALUES[:2]) == ("`model.C` has no effect beyond noise: `1` 90.0 %, `3` 89.5 %.")


def test_the_conclusion_names_the_best_and_its_ties() -> None:
    variants = grid_variants(["fast"], [], ["model.C=1,3,10"])
    found = [combination(v, value.accuracy.value, value.behind) for v, value in zip(variants, VALUES, strict=True)]
    said = conclusion(results(found, {"model.C": VALUES}, Shares({"model.C": 0.8}, 0.0, 0.2)))
    assert said[0] == (
        "`model.C=1` is best: 90.0 % of 1,000 rows correct (89.0 to 91.0, the mean of 2 seeds); 1 of the "
        "other 2 combinations are within noise of it."
    )
    assert said[1] == "Of the variance between trials `model.C` explains 80 %, seeds 20 %."


def test_an_end_of_zero_has_no_sign() -> None:
    assert between(Estimate(0.01, -0.0001, 0.02)) == "0.0 to 2.0"


def test_settings_that_differ_have_columns_by_their_shortest_names() -> None:
    variants = listed_variants(["fast"], [], ["", "model.C=3", "model.C=3 features.words=2"])
    found = [combination(variant, 0.9, None) for variant in variants]
    assert setting_columns(found) == (
        ["C", "words"],
        [[AS_IT_IS, AS_IT_IS], ["3", AS_IT_IS], ["3", "2"]],
    )
    assert setting_columns(found[:1]) == (["combination"], [["fast"]])


@pytest.mark.parametrize("recipe", ["fast", "mine.toml"])
def test_the_command_trains_what_was_best(recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text('[recipe]\nname = "other"\nsummary = ""\n[features]\n[model]\nkind = "linear-svm"\n')
    (variant,) = listed_variants([recipe], ["features.words=2"], ["'features.characters=[2, 5]'"])
    settings = {"settings": ["features.words=2"], "text": ["a b"], "seed": 3}
    settings |= {"label": "stars", "group": None, "test": None, "validation": None, "strict": True}
    request = SweepRequest(tmp_path, [variant], {"typed": "my reviews.csv", "settings": settings})
    command = command_for_best(request, results([combination(variant, 0.9, None)], {}, None))
    assert shlex.split(command) == [
        *("tagline", "train", "my reviews.csv", "--recipe", recipe),
        *("--set", "features.words=2", "--set", "features.characters=[2, 5]"),
        *("--text", "a b", "--label", "stars", "--strict", "--seed", "3"),
    ]
    settings |= {"label": [], "label_separator": "", "multilabel": True, "encoding": "cp1252", "max_unreadable": 0.01}
    words = shlex.split(command_for_best(request, results([combination(variant, 0.9, None)], {}, None)))
    assert words[9:] == [
        *("--text", "a b", "--label-separator", "", "--multilabel", "--encoding", "cp1252", "--strict", "--seed", "3")
    ]
    settings |= {"label": ["a", "b"]}
    assert "--label a --label b" in command_for_best(request, results([combination(variant, 0.9, None)], {}, None))


def test_the_summary_marks_lists_that_are_not_full_grids() -> None:
    shares = Shares({"model.C": 0.8, "features.words": 0.1}, 0.0, 0.1)
    effects = {"model.C": VALUES[:2], "features.words": VALUES[:2]}
    listed = listed_variants(["fast"], [], ["model.C=1 features.words=1", "model.C=3 features.words=2"])
    crossed = grid_variants(["fast"], [], ["model.C=1,3", "features.words=1,2"])
    for variants, told in ((listed, True), (crossed, False)):
        found = [combination(v, 0.9, None if k == 0 else VALUES[1].behind) for k, v in enumerate(variants)]
        said = conclusion(results(found, effects, shares))
        assert any("Not every value was combined with every other" in sentence for sentence in said) == told
