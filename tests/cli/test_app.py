"""Every error is one line with the right exit status, and leaves no incomplete file behind."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tagline.bundle import FORMAT
from tagline.cli import main
from tagline.cli.app import _command
from tests.cli.cli_data import names, write_reviews


def test_invalid_data(fails, here):
    (here / "empty.csv").touch()
    (here / "one.csv").write_text("text,label\na b,x\nc d,x\n")
    (here / "fine.csv").write_text("text,label\n" + "a b,x\nc d,y\n" * 9)
    assert "`reviews.csv` does not exist" in fails("train", "reviews.csv")
    assert "`empty.csv` is empty" in fails("train", "empty.csv")
    assert "only `x`" in fails("train", "one.csv")
    assert "Did you mean `label`?" in fails("train", "fine.csv", "--label", "lable")
    assert "Did you mean `text`?" in fails("train", "fine.csv", "--text", "txt")
    assert "Did you mean `movie-reviews`?" in fails("train", "movie-review")
    assert "`nothing.csv`" in fails("train", "fine.csv", "--test", "nothing.csv")
    assert "Did you mean `movie-reviews`?" in fails("datasets", "show", "moviereviews")
    assert names(here) == ["empty.csv", "fine.csv", "one.csv"]


def test_an_example_has_no_options_of_output(fails, here):
    (here / "flags.csv").write_text("text,bug,billing\n" + "some words,0,1\nother words,1,0\n" * 9)
    told = fails("train", "flags.csv", "--json")
    assert "For example: tagline train flags.csv --label bug --label billing\n" in told


def test_invalid_arguments(fails, reviews, here):
    assert "Did you mean `fast`?" in fails("train", reviews, "--recipe", "fats")
    assert "Did you mean `model.n_trees`?" in fails("train", reviews, "--set", "model.ntrees=1")
    assert "section.key" in fails("train", reviews, "--set", "strength")
    assert "Did you mean `pos`?" in fails("train", reviews, "--positive", "poss")
    assert "between 0 and 1" in fails("train", reviews, "--threshold", "1.5")
    assert "--folds 1" in fails("train", reviews, "--folds", "1")
    assert "is a file" in fails("train", reviews, "--out", reviews)
    assert "Did you mean `--recipe`?" in fails("train", reviews, "--recpie", "fast")
    assert "Did you mean `fast`?" in fails("recipes", "show", "fasst")
    assert "`--seed`" in fails("train", reviews, "--seed", "many")
    assert "`--seed`" in fails("train", reviews, "--seed", 2**32)
    assert "`--seed`" in fails("train", reviews, "--seed", "5000000000")
    assert "current folder" in fails("train", reviews, "--out", ".")
    assert "`--input FILE`" in fails("predict", "run")
    assert names(here) == []


def test_invalid_word_vectors(fails, reviews, here):
    average = ("train", reviews, "--recipe", "embedding-average", "--out", "run")
    (here / "more.txt").write_text("a text without a label\n")
    assert "`fast` has no word vectors that could be learned" in fails("train", reviews, "--unlabelled", "more.txt")
    assert "not from standard input" in fails(*average, "--unlabelled", "-")
    assert "`none.csv` does not exist" in fails(*average, "--unlabelled", "none.csv")
    assert "Did you mean `glove-6b-50d`?" in fails(*average, "--set", "model.vectors=glove-6b")
    assert "none are: name some in `model.vectors`" in fails(*average, "--set", "model.frozen=true")
    assert "there are no `model.vectors`" in fails(*average, "--set", "model.embedding=vectors")
    glove = ("--set", "model.vectors=glove-6b-50d")
    assert "set it to 50" in fails(*average, *glove)
    assert "nothing to learn from unlabelled texts" in fails(*average, *glove, "--unlabelled", "more.txt")
    (here / "few.csv").write_text("text,label\n" + "".join(f"word{n} other{n},{'xy'[n % 2]}\n" for n in range(20)))
    assert "No word occurs 5 times" in fails("train", "few.csv", *average[2:], "--unlabelled", "more.txt")
    assert "more.txt`, row 1, is not a word with its numbers" in fails(*average, "--set", "model.vectors=more.txt")
    assert names(here) == ["few.csv", "more.txt"]


def test_invalid_commands(call):
    for argv, hint in (
        (["trian"], "Did you mean `train`?"),
        (["--verison"], "Did you mean `--version`?"),
        (["predict"], "`MODEL`"),
    ):
        status, out, err = call(*argv)
        assert status == 2
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert hint in err


def test_invalid_models(fails, run_folder, reviews, tmp_path):
    assert "does not exist" in fails("predict", tmp_path / "none", "x")
    assert "is not a model" in fails("predict", tmp_path, "x")
    for name in names(run_folder / "model"):
        copy = tmp_path / f"without-{name}"
        shutil.copytree(run_folder / "model", copy)
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content[: len(content) // 2])
        assert name in fails("predict", copy, "x")
        assert name in fails("evaluate", copy, reviews)
        (copy / name).unlink()
        assert name in fails("explain", copy, "x")
    newer = tmp_path / "newer"
    shutil.copytree(run_folder / "model", newer)
    index = newer / "tagline.json"
    index.write_text(index.read_text().replace(f'"format": {FORMAT}', '"format": 999'))
    assert "upgrade" in fails("predict", newer, "x")
    assert "Did you mean `pos`?" in fails("explain", run_folder, "x", "--class", "poss")
    assert "Did you mean `pos`?" in fails("predict", run_folder, "x", "--positive", "poss")


def test_invalid_runs(fails, tmp_path):
    assert "is not a run" in fails("report", tmp_path)
    assert "does not exist" in fails("runs", tmp_path / "none")


def test_invalid_outputs(fails, run_folder, reviews, tmp_path):
    assert "no suffix" in fails("predict", run_folder, "--input", reviews, "--output", tmp_path / "out.doc")
    assert "does not exist" in fails("predict", run_folder, "--input", reviews, "--output", tmp_path / "a" / "b.csv")
    for folder in (tmp_path, "."):
        assert "no `manifest.json`" in fails("predict", run_folder, "--input", reviews, "--output", folder)
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    assert fails("predict", run_folder, "--input", reviews, "--output", loop)
    loop.unlink()
    assert "is a folder" in fails("explain", run_folder, "x", "--html", tmp_path)
    assert "no column" in fails(
        "predict", run_folder, "--input", reviews, "--text", "txet", "--output", tmp_path / "o.csv"
    )
    assert names(tmp_path) == ["reviews.csv"]


def test_an_unexpected_fault_is_one_line_and_debug_shows_where(call, run_folder, monkeypatch):
    def break_down(*args):
        raise RuntimeError("the\nsky fell")

    monkeypatch.setattr("tagline.classifier.TextClassifier.load", break_down)
    status, out, err = call("predict", run_folder, "x", "--quiet")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "RuntimeError" in err
    status, _, err = call("predict", run_folder, "x", "--quiet", "--debug")
    assert status == 1
    assert "Traceback" in err
    assert "break_down" in err


@pytest.fixture
def full_disk(tmp_path):
    """A folder on a disk of 200 KB, or what comes closest: no file may grow beyond that."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    can_mount = os.geteuid() == 0 and shutil.which("mount") is not None
    mounted = can_mount and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    yield folder, None if mounted else limit_file_size
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.slow
def test_a_full_disk(full_disk, in_shell, run_folder, reviews):
    folder, limit = full_disk
    many = write_reviews(reviews.parent / "many.csv", n=8_000)
    for kind in ("csv", "jsonl", "parquet"):
        done = in_shell(
            "predict", run_folder, "--input", many, "--output", folder / f"o.{kind}", "--quiet", preexec_fn=limit
        )
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith("error: the disk is full")
        assert done.stderr.count("\n") == 1
        assert names(folder) == []
    done = in_shell("train", reviews, "--out", folder / "runs" / "run", "--quiet", preexec_fn=limit)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: the disk is full")
    assert done.stderr.count("\n") == 1
    assert names(folder / "runs") == ["test_ledger.jsonl"]  # the test rows had been read


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_a_stopped_command_leaves_no_file(stop, status, tmp_path, here):
    data = write_reviews(tmp_path / "many.csv", n=20_000)
    command = [sys.executable, "-m", "tagline", "train", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "training on" in line:
                break
        else:
            pytest.fail("".join(lines))
        time.sleep(0.5)
        process.send_signal(stop)
        try:
            out, rest = process.communicate(timeout=60)
        finally:
            process.kill()  # else the end of this block waits for one that did not stop
    assert process.returncode == (status if status > 0 else 143)
    assert out == ""
    assert names(here) == []
    if stop == signal.SIGINT:
        assert rest.count("\n") == 1
        assert rest == "error: stopped; if anything was kept, `tagline runs` says how to resume it.\n"


@pytest.mark.parametrize(
    ("command", "last_stage", "told"),
    [
        ("tune", "searching", "error: stopped; if anything was kept, `tagline runs` says how to resume it.\n"),
        ("tune", "stopped before a recipe was evaluated", "error: stopped.\n"),
        ("datasets", "reading", "error: stopped; nothing was written.\n"),
    ],
)
def test_what_is_kept_is_told_once(command, last_stage, told, monkeypatch, capsys):
    def stop(context):
        context.obj.stage(last_stage)
        raise KeyboardInterrupt

    monkeypatch.setattr(_command().commands[command], "invoke", stop)
    assert main([command]) == 130
    assert capsys.readouterr().err.endswith(f"{last_stage}\n{told}")


@pytest.mark.slow
@pytest.mark.parametrize("command", [["datasets"], ["--help"], ["predict", "RUN", "-q", "--input", "MANY"]])
def test_a_closed_pipe_is_silent(command, run_folder, tmp_path):
    many = write_reviews(tmp_path / "many.csv", n=20_000)
    command = [{"RUN": str(run_folder), "MANY": str(many)}.get(word, word) for word in command]
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "tagline", *command],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.stderr == b""
    assert done.returncode == 141


def test_main_returns_the_status():
    assert main(["--version"]) == 0


def test_the_end_of_a_command_searches_no_garbage():
    code = (
        "from tagline.cli import main\n"
        "class Cycle:\n"
        "    def __init__(self): self.itself = self\n"
        "    def __del__(self): print('found')\n"
        "main(['--version'])\n"
        "Cycle()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.startswith("tagline ")
    assert "found" not in done.stdout
