"""``tagline sweep`` as it is typed."""

import json

import pytest

from tests.cli.cli_data import names


@pytest.mark.slow
def test_a_sweep_says_what_is_best_and_where_its_report_is(call, reviews, here):
    command = ("sweep", reviews, "--recipe", "naive-bayes", "--grid", "model.alpha=0.1,1,10", "--processes", "1")
    status, out, err = call(*command, "--out", "sweep")
    assert status == 0
    assert "is best" in out
    assert "Report: sweep/report.html" in out
    assert f"Next: tagline train {reviews} --recipe naive-bayes --set model.alpha=" in out
    assert "3 of 3 trials, best" in err
    assert names(here) == ["sweep"]


@pytest.mark.slow
def test_json_is_the_results_and_nothing_else(call, reviews, here):
    command = ("sweep", reviews, "--recipe", "naive-bayes", "--try", "", "--try", "model.alpha=3", "--processes", "1")
    status, out, err = call(*command, "--json", "--quiet")
    assert (status, err) == (0, "")
    said = json.loads(out)
    assert [one["words"] for one in said["combinations"]] in (
        ["naive-bayes", "model.alpha=3"],
        ["model.alpha=3", "naive-bayes"],
    )
    assert said["n_trials"] == 2
    assert set(said["effects"]) == {"model.alpha"}
    (folder,) = (here / "runs").iterdir()
    assert said == {"folder": f"runs/{folder.name}"} | json.loads((folder / "results.json").read_text())
    assert call("runs", "--json")[:2] == (0, "[]\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--grid", "model.C=0,1"), "`--grid model.C=0`: The recipe `fast` has a wrong"),
        (("--grid", "model.C=1", "--try", "model.C=2"), "cannot be combined"),
        ((), "A single trial has nothing to compare with"),
        (("--curve", "--sizes", "10,20"), "give one of them"),
        (("--sizes", "10,1000"), "has 1000, but there are 192 training rows"),
        (("--sizes", "10,many"), "is not a list of whole numbers"),
        (("--resume", "nothing"), "`DATA` cannot be given with `--resume`: the sweep keeps the settings"),
        (("--set", "protocol.validation=none", "--grid", "model.C=1,3", "--text", "nix"), "nix"),
        (("--out", "."), "choose another folder"),
        (
            ("--recipe", "embedding-average", "--grid", "model.vectors=none,mine.vec"),
            "`model.vectors=mine.vec`: There are no vectors `mine.vec`",
        ),
        (("--recipe", "embedding-average", "--grid", "model.frozen=true,false"), "`model.frozen=true`: `model.frozen`"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_made(fails, reviews, here, arguments, message):
    (here / "mine").mkdir()
    assert message in fails("sweep", reviews, *arguments)
    assert names(here) == ["mine"]


def test_a_sweep_that_was_never_started(fails, here):
    assert "`nothing` is not the folder of a sweep" in fails("sweep", "--resume", "nothing", "--processes", "2")


def test_trials_without_validation_rows_are_rejected(fails, here):
    path = here / "few.csv"
    path.write_text("text,label,split\n" + "".join(f"word{n},{'ab'[n % 2]},train\n" for n in range(6)))
    assert "too few rows to hold some out" in fails("sweep", path, "--grid", "model.C=1,3")
