"""Bundles: whole or refused; the same bytes for the same content; nothing executed."""

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import tagline
from tagline.bundle import ARRAYS, EXPORT, FORMAT, INDEX, Bundle, _digest, checksum, read_bundle, write_bundle
from tagline.errors import BundleError, InputError

BUNDLE = Bundle(
    header={"task": "binary", "temperature": 1 / 3, "classes": ["neg", "größer"], "facts": {"b": [1], "a": None}},
    arrays={
        "scale": np.linspace(0, 1, 7).astype(np.float16),
        "keys": np.arange(6, dtype=np.uint8).reshape(2, 3).T,  # not contiguous
        "none": np.empty((0, 3), dtype=np.int64),
    },
    texts={"words.txt": "gut\nschön\n\u2028\r\x1c\n", "empty.txt": ""},
    binaries={"network.onnx": bytes(range(256))},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "model", BUNDLE)
    return tmp_path / "model"


def assert_same(a: Bundle, b: Bundle) -> None:
    assert (a.header, a.texts, a.binaries) == (b.header, b.texts, b.binaries)
    assert a.arrays.keys() == b.arrays.keys()
    for name, array in a.arrays.items():
        assert array.dtype == b.arrays[name].dtype
        assert np.array_equal(array, b.arrays[name])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def change_index(folder: Path, **changes: object) -> None:
    """Change the index as one who knows the format would, checksum and all."""
    index = json.loads((folder / INDEX).read_text(encoding="utf-8")) | changes
    del index["sha256"]
    index["sha256"] = _digest(index)
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def test_round_trip(folder: Path) -> None:
    assert_same(read_bundle(folder), BUNDLE)
    assert_same(read_bundle(str(folder)), BUNDLE)


def test_the_same_content_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    shuffled = Bundle(
        BUNDLE.header, dict(reversed(BUNDLE.arrays.items())), dict(reversed(BUNDLE.texts.items())), BUNDLE.binaries
    )
    write_bundle(tmp_path / "again", shuffled)
    assert contents(tmp_path / "again") == contents(folder)


def test_anyone_can_read_the_parts(folder: Path) -> None:
    assert sorted(contents(folder)) == ["empty.txt", "network.onnx", INDEX, ARRAYS, "words.txt"]
    assert json.loads((folder / INDEX).read_text(encoding="utf-8"))["format"] == FORMAT
    assert load_file(folder / ARRAYS)["keys"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert stat_mode(folder) & 0o500 == 0o500
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        assert stat_mode(folder) == 0o777 & ~mask


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("part", [INDEX, ARRAYS, "words.txt", "network.onnx"])
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "remove", "folder"])
def test_a_damaged_part_is_refused_by_name(folder: Path, part: str, harm: str) -> None:
    path = folder / part
    content = path.read_bytes()
    path.unlink()
    if harm == "flip":
        at = len(content) // 2
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    elif harm == "cut":
        path.write_bytes(content[:-3])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "folder":
        path.mkdir()
    with pytest.raises(BundleError, match=part) as caught:
        read_bundle(folder)
    assert "\n" not in str(caught.value)


def test_any_bit_of_the_index_flipped_is_noticed(folder: Path) -> None:
    content = (folder / INDEX).read_bytes()
    for at in range(len(content)):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        (folder / INDEX).write_bytes(changed)
        try:
            assert_same(read_bundle(folder), BUNDLE)  # white space alone was changed
        except BundleError:
            pass
        else:
            assert content[at : at + 1].isspace()


def test_a_newer_format_says_what_to_do(folder: Path) -> None:
    change_index(folder, format=FORMAT + 1)
    with pytest.raises(BundleError, match=rf"format {FORMAT + 1}.*reads up to {FORMAT}.*pip install -U tagline"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["../words.txt", "/etc/passwd", "a/b.txt", "..", ""])
def test_a_part_outside_is_refused(folder: Path, name: str) -> None:
    (folder.parent / "words.txt").write_bytes((folder / "words.txt").read_bytes())
    parts = json.loads((folder / INDEX).read_text(encoding="utf-8"))["parts"]
    change_index(folder, parts={**parts, name: parts["words.txt"]})
    with pytest.raises(BundleError, match="outside"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "index", ["[]", "{}", '"x"', '{"format": "1", "parts": {}}', '{"format": 1, "parts": []}', "[" * 100_000]
)
def test_an_index_of_something_else(folder: Path, index: str) -> None:
    (folder / INDEX).write_text(index, encoding="utf-8")
    with pytest.raises(BundleError, match=INDEX):
        read_bundle(folder)


def test_not_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(BundleError, match="does not exist"):
        read_bundle(tmp_path / "nowhere")
    for other in (tmp_path, tmp_path / "file"):
        with pytest.raises(BundleError, match="is not a model"):
            read_bundle(other)


def test_only_a_model_is_replaced(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work", encoding="utf-8")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for other in ("thesis", "file"):
        with pytest.raises(InputError, match="is not a model: choose another folder"):
            write_bundle(tmp_path / other, BUNDLE)
    assert (tmp_path / "thesis" / "chapter.txt").read_text(encoding="utf-8") == "years of work"
    newer = Bundle({"task": "other"}, {"scale": np.ones(2)}, {})
    write_bundle(folder, newer)
    assert_same(read_bundle(folder), newer)
    assert sorted(contents(folder)) == [INDEX, ARRAYS]
    (tmp_path / "empty").mkdir()
    write_bundle(tmp_path / "empty", newer)
    write_bundle(tmp_path / "new" / "deep" / "model", newer)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "model", "new", "thesis"]


@pytest.mark.parametrize("fails", ["write_bytes", "rename"])
@pytest.mark.parametrize("older", [False, True])
def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, older: bool
) -> None:
    target = tmp_path / "model"
    if older:
        write_bundle(target, Bundle({"task": "older"}, {"scale": np.ones(2)}, {}))
    before = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    real = getattr(Path, fails)

    def full(self: Path, *args: object) -> object:
        if fails == "write_bytes" and self.name != ARRAYS:
            return real(self, *args)  # the disk is full in the middle
        if fails == "rename" and (self.name == "model" or self.name.endswith("-old")):
            return real(self, *args)  # the old one steps aside and back
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, fails, full)
    with pytest.raises(OSError, match="No space"):
        write_bundle(target, BUNDLE)
    monkeypatch.undo()
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*")} == before
    if older:
        assert read_bundle(target).header == {"task": "older"}


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_between_the_renames_leaves_the_old_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupt: type[BaseException]
) -> None:
    target, rename, interrupted = tmp_path / "model", Path.rename, []
    write_bundle(target, Bundle({"task": "older"}, {}, {}))

    def interrupted_once(self: Path, to: Path) -> Path:
        if Path(to) == target and not interrupted:
            interrupted.append(to)
            raise interrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", interrupted_once)
    with pytest.raises(interrupt):
        write_bundle(target, BUNDLE)
    assert read_bundle(target).header == {"task": "older"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


KILLED_BETWEEN_THE_RENAMES = """
import os, signal, sys
from pathlib import Path
from tagline import TextClassifier

clf, target, rename = TextClassifier.load(sys.argv[1]), Path(sys.argv[2]), Path.rename

def kill(self, to):
    if Path(to) == target:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, to)

clf.save(target)
Path.rename = kill
clf.save(target)
"""


@pytest.mark.skipif(os.name != "posix", reason="no kill -9")
def test_a_model_is_recovered_after_a_kill_between_the_renames(tmp_path: Path) -> None:
    golden, target = Path(__file__).parent / "golden" / "bundle-v2" / "model", tmp_path / "model"
    killed = subprocess.run([sys.executable, "-c", KILLED_BETWEEN_THE_RENAMES, golden, target], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    assert tagline.TextClassifier.load(target).classes_.tolist()
    tagline.TextClassifier.load(golden).save(target)  # the next writer
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting takes root")
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no mount here")
    try:
        large = Bundle({}, {"scale": np.random.default_rng(0).random(100_000)}, {})
        write_bundle(disk / "model", BUNDLE)
        for target in ("model", "other"):
            with pytest.raises(OSError, match="No space"):
                write_bundle(disk / target, large)
        assert [path.name for path in disk.iterdir()] == ["model"]
        assert_same(read_bundle(disk / "model"), BUNDLE)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_header_without_json_form_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_bundle(tmp_path / "model", Bundle({"x": object()}, {}, {}))
    assert not list(tmp_path.iterdir())


def test_a_copy_works(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere" / "copy")
    shutil.rmtree(folder)
    assert_same(read_bundle(tmp_path / "elsewhere" / "copy"), BUNDLE)


def test_a_folder_that_holds_more_than_a_model_is_left_alone(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model", BUNDLE)
    (tmp_path / "model" / "notes.md").write_text("mine")
    with pytest.raises(InputError, match=r"holds `notes\.md`"):
        write_bundle(tmp_path / "model", BUNDLE)
    assert (tmp_path / "model" / "notes.md").read_text() == "mine"


def test_an_export_has_other_names_and_is_read_by_them(folder: Path, tmp_path: Path) -> None:
    texts = {**BUNDLE.texts, "card.md": "# Card\n", "card.json": "{}\n"}
    export = Bundle(BUNDLE.header, BUNDLE.arrays, texts, BUNDLE.binaries)
    write_bundle(tmp_path / "export", export, EXPORT)
    assert contents(tmp_path / "export").keys() == {*texts, "network.onnx", "ngrams.safetensors", "tokens.json"}
    assert_same(read_bundle(tmp_path / "export"), export)
    with pytest.raises(InputError, match="is not an export"):
        write_bundle(folder, export, EXPORT)
    with pytest.raises(InputError, match="is not a model"):
        write_bundle(tmp_path / "export", BUNDLE)


def test_no_arrays_no_file(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model", Bundle({"task": "binary"}, {}, {"words.txt": "a\n"}))
    assert contents(tmp_path / "model").keys() == {INDEX, "words.txt"}
    assert read_bundle(tmp_path / "model").arrays == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"parts": {ARRAYS: 3}},
        {"parts": {ARRAYS: {}}},
        {"parts": {ARRAYS: {"bytes": 1, "sha256": 1}}},
        {"parts": 3},
        {"format": True},
        {"format": 0},
        {"format": -1},
        {"format": 1.0},
    ],
)
def test_a_crafted_index_is_refused(folder: Path, changes: dict[str, object]) -> None:
    change_index(folder, **changes)
    with pytest.raises(BundleError, match="is not the index of a model"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["words.txt", ARRAYS, INDEX])
@pytest.mark.parametrize("kind", ["link", "endless", "pipe", "socket", "folder"])
def test_parts_are_regular_files_in_the_folder(folder: Path, name: str, kind: str) -> None:
    part = folder / name
    kept = part.rename(folder.parent / "elsewhere")
    with socket.socket(socket.AF_UNIX) as bound:
        if kind == "link":
            part.symlink_to(kept)
        elif kind == "endless":
            part.symlink_to("/dev/zero")
        elif kind == "pipe":
            os.mkfifo(part)
        elif kind == "socket":
            bound.bind(str(part))
        else:
            part.mkdir()
        with pytest.raises(BundleError, match=f"{name}` is not a regular file"):
            read_bundle(folder)
        assert (checksum(folder) == "") == (name == INDEX)


def test_the_checksum_of_a_model_is_read_from_its_index_alone(folder: Path) -> None:
    index = folder / INDEX
    stated = json.loads(index.read_text(encoding="utf-8"))["sha256"]
    assert checksum(folder) == stated
    for content in ("", "[" * 100_000, "[]", "{}", '{"sha256": 1}', '{"sha256": {"a": []}}'):
        index.write_text(content, encoding="utf-8")
        assert checksum(folder) == ""
    with index.open("ab") as file:
        file.truncate(3 << 30)  # a hole on the disk
    assert checksum(folder) == ""
    index.unlink()
    assert checksum(folder) == ""


@pytest.mark.parametrize("depth", [100, 500, 900, 3_000, 100_000])
def test_an_index_may_be_nested_at_any_depth(folder: Path, depth: int) -> None:
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    nested = json.dumps(index | {"extra": "HERE"}).replace('"HERE"', "[" * depth + "]" * depth)
    (folder / INDEX).write_text(nested, encoding="utf-8")
    with pytest.raises(BundleError, match="is damaged"):
        read_bundle(folder)


def test_a_part_has_the_size_that_the_index_says(folder: Path) -> None:
    with (folder / "words.txt").open("ab") as file:
        file.truncate(1 << 40)  # a hole on the disk
    with pytest.raises(BundleError, match=r"words.txt` is damaged: it has 1,099,511,627,776 bytes, not \d+\."):
        read_bundle(folder)


def test_a_part_may_claim_any_size(tmp_path: Path) -> None:
    write_bundle(tmp_path / "model", Bundle({}, {}, {"words.txt": "a\n"}))
    path = tmp_path / "model" / "tagline.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    del index["sha256"]
    index["parts"]["words.txt"]["bytes"] = 10**30
    path.write_text(json.dumps({**index, "sha256": _digest(index)}), encoding="utf-8")
    with pytest.raises(BundleError, match="is damaged"):
        read_bundle(tmp_path / "model")
