"""A program that is not tagline: it reads an export by what `tokens.json` says, and by nothing else.

polars stands in for the regular expressions of Rust, which the file names.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
from safetensors.numpy import load_file


def answer(folder: Path, texts: list[str]) -> np.ndarray:
    """Return the probabilities of some texts, (n_texts, n_classes)."""
    about = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))["preprocessing"]
    tokens = [tokens_of(about, text) for text in texts]
    inputs = _counts(folder, about["ngrams"]["blocks"], tokens) if "ngrams" in about else _ids(folder, about, tokens)
    session = onnxruntime.InferenceSession((folder / "model.onnx").read_bytes())
    given = {name: value for name, value in inputs.items() if name in about["inputs"]}
    assert given.keys() == about["inputs"].keys()
    return np.asarray(session.run(["probabilities"], given)[0])


def tokens_of(about: dict[str, Any], text: str) -> list[str]:
    column = pl.Series([text], dtype=pl.String)
    for step in about["clean"]:
        if "normalize" in step:
            column = column.str.normalize(step["normalize"])
        elif "lowercase" in step:
            column = column.str.to_lowercase()
        else:
            column = column.str.replace_all(step["find"], step["replace"])
    found = column.str.extract_all(about["tokens"]["find_all"]).to_list()[0]
    return [token for token in found if token not in about["tokens"].get("leave_out", [])]


def _counts(folder: Path, blocks: list[dict[str, Any]], texts: list[list[str]]) -> dict[str, np.ndarray]:
    entries: dict[tuple[int, int], int] = {}
    for block in blocks:
        if block["of"] == "words":
            words = (folder / block["symbols"]["file"]).read_bytes().decode().split("\n")[:-1]
            symbol = {word: i for i, word in enumerate(words)}
        else:
            points = load_file(folder / block["symbols"]["file"])[block["symbols"]["array"]]
            symbol = {chr(point): i for i, point in enumerate(points)}
        numbers: dict[int, dict[tuple[int, int], int]] = {}
        for table in block["tables"]:
            arrays = load_file(folder / table["file"])
            followers, last = arrays[table["followers"]].tolist(), arrays[table["last"]].tolist()
            prefixes = [p for p, n in enumerate(followers) for _ in range(n)]
            numbers[table["order"]] = {pair: i for i, pair in enumerate(zip(prefixes, last, strict=True))}
        sizes = {1: len(symbol), **{order: len(known) for order, known in numbers.items()}}
        for row, tokens in enumerate(texts):
            segments = [tokens] if block["of"] == "words" else [f" {token} " for token in tokens]
            for segment in segments:
                for start in range(len(segment)):
                    column, number = block["first_column"], symbol.get(segment[start])
                    for order in range(1, block["longest"] + 1):
                        if order > 1:
                            end = start + order - 1
                            last_symbol = symbol.get(segment[end]) if end < len(segment) else None
                            number = numbers[order].get((number, last_symbol))
                        if number is None:
                            break
                        if order >= block["shortest"]:
                            at = (row, column + number)
                            entries[at] = entries.get(at, 0) + 1
                            column += sizes[order]
    places = sorted(entries)
    return {
        "rows": np.array([row for row, _ in places], np.int64),
        "columns": np.array([column for _, column in places], np.int64),
        "counts": np.array([entries[place] for place in places], np.float32),
        "n_texts": np.array(len(texts), np.int64),
    }


def _ids(folder: Path, about: dict[str, Any], texts: list[list[str]]) -> dict[str, np.ndarray]:
    rule = about["ids"]
    words = (folder / about["words"]["file"]).read_bytes().decode().split("\n")[:-1]
    known = {word: i + rule["first_word"] for i, word in enumerate(words)}
    rows = [[rule["start"], *(known.get(word, rule["unknown"]) for word in words)] for words in texts]
    assert all(number < rule["below"] for row in rows for number in row)
    length = about["length"]
    if length is None:
        places = [(row, number) for row, ids in enumerate(rows) for number in sorted(set(ids))]
        return {
            "rows": np.array([row for row, _ in places], np.int64),
            "columns": np.array([number for _, number in places], np.int64),
            "n_texts": np.array(len(rows), np.int64),
        }
    maxlen = length["maxlen"]
    cut = [ids[-maxlen:] if length["truncate"] == "pre" else ids[:maxlen] for ids in rows]
    fill = [[rule["padding"]] * (maxlen - len(ids)) for ids in cut]
    padded = [more + ids if length["pad"] == "pre" else ids + more for ids, more in zip(cut, fill, strict=True)]
    return {"ids": np.array(padded, np.int64)}
