"""Input errors of `tagline tune` before the first trial."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "soon"], "`--budget soon` is invalid: use a number and a unit (`s`, `m`, `min`, `h`)"),
        (["--budget", "0s"], "`--budget 0s` is invalid"),
        (["--budget", "2"], "`--budget 2` is too short"),
        (["--max-size", "5 apples"], "such as `5MB`"),
        (["--max-latency", "fast"], "such as `2ms`"),
        (["--metric", "macrof1"], "`--metric macrof1` is not known. Did you mean `macro_f1`?"),
        (["--label", "no"], "no"),
        (["--resume", "nothing"], "`--budget` cannot be given with `--resume`"),
    ],
)
def test_invalid_arguments(fails, here, reviews, arguments, said):
    given = arguments if "--budget" in arguments else ["--budget", "10s", *arguments]
    assert said in fails("tune", *([] if "--resume" in arguments else [reviews]), *given)
    assert not list(here.iterdir())


def test_nothing_to_resume(fails, here, run_folder):
    assert "is not an unfinished search" in fails("tune", "--resume", "nothing")
    assert "is finished" in fails("tune", "--resume", run_folder)


def test_too_few_rows(fails, here):
    (here / "few.csv").write_text("text,label\n" + "".join(f"text {k},{'ab'[k % 2]}\n" for k in range(10)))
    assert "too few distinct rows" in fails("tune", "few.csv", "--budget", "10s")
    assert [path.name for path in here.iterdir()] == ["few.csv"]


def test_test_rows_of_another_kind_are_refused_before_the_search(fails, here, reviews):
    (here / "other.csv").write_text("text,label\na film,spam\na book,ham\n")
    said = fails("tune", reviews, "--test", "other.csv", "--budget", "10m")
    assert "No label of the test rows occurs in the train rows" in said
    assert [path.name for path in here.iterdir()] == ["other.csv"]
