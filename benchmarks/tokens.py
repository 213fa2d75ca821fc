"""Tokens of texts by compiled code and in polars: megabytes per second, and one short text.

Both read the same column in memory on the same cores, alternating. Compiled code returns ids and the distinct tokens;
polars returns the tokens, of which ids would have to be made yet.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import measure

SHORT = "A quiet masterpiece: I was moved to tears."
CALLS = 2000
_BATCH = 2048  # texts that a thread tokenizes in polars


def ways(texts: Any, rule: str) -> dict[str, Callable[[], Any]]:
    """Return each way to tokenize a column on all cores."""
    from tagline.features.token_ids import intern, look_up, make_vocabulary
    from tagline.features.tokenizer import Tokenizer, split_in_polars
    from tagline.parallel import in_threads

    tokenizer = Tokenizer(rule)
    vocabulary = make_vocabulary(intern(texts, tokenizer)[2], tokenizer)
    parts = [texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH)]
    return {
        "polars, tokens": lambda: in_threads(lambda part: split_in_polars(part, rule, nfc=True), parts),
        "compiled, new ids": lambda: intern(texts, tokenizer),
        "compiled, ids of a vocabulary": lambda: look_up(texts, vocabulary),
    }


def short_ways() -> dict[str, Callable[[], Any]]:
    """Return each way to tokenize one text."""
    import polars as pl

    from tagline.features._core.arrow import Texts
    from tagline.features.token_ids import make_vocabulary
    from tagline.features.tokenizer import Tokenizer, split_in_polars

    vocabulary = make_vocabulary(pl.Series(SHORT.lower().split()), Tokenizer())
    return {
        "polars, tokens": lambda: split_in_polars(pl.Series([SHORT]), "unicode", nfc=True),
        "compiled, tokens": lambda: Tokenizer().tokenize(pl.Series([SHORT])),
        "compiled, ids of a vocabulary": lambda: vocabulary.look_up(Texts([SHORT]), 0, 1),
    }


def seconds(call: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def row(name: str, texts: Any, rule: str, rounds: int) -> list[str]:
    """Return the row of a data set: MB/s of each way, and how many times faster than polars it is."""
    size = texts.str.len_bytes().sum() / 1e6
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for way, call in ways(texts, rule).items():
            taken.setdefault(way, []).append(seconds(call))
    polars, *others = taken.values()
    cells = [measure.spread([size / s for s in polars], 0)]
    for other in others:
        faster = median(a / b for a, b in zip(polars, other, strict=True))
        cells.append(f"{measure.spread([size / s for s in other], 0)}, {faster:.1f} x")
    return [name, rule, f"{size:.1f}", *cells]


def main() -> None:
    """Measure, and print two tables."""
    import polars as pl

    from tagline.parallel import cores

    options = measure.parser(__doc__.splitlines()[0], rounds=5).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        train, _, what = measure.imdb_files(Path(folder))
        columns = {"film reviews": pl.read_parquet(train)["text"]}
    if chinese := measure.original_data("dev/chnsenticorp.parquet"):
        columns["Chinese reviews"] = pl.read_parquet(chinese)["text"]
    header = ["", "rule", "MB", "polars, MB/s", "compiled, new ids", "compiled, ids of a vocabulary"]
    rows = [row(name, texts, rule, options.rounds) for name, texts in columns.items() for rule in ("unicode", "keras")]
    taken = {way: median(seconds(call) for _ in range(CALLS)) for way, call in short_ways().items()}
    short = [["one short text", "microseconds"], *([way, f"{1e6 * s:.0f}"] for way, s in taken.items())]
    text = (
        f"{what} Megabytes of UTF-8 per second on {cores()} cores, median of {options.rounds} rounds (lowest-highest), "
        "and how many times as fast as polars.\n\n"
    )
    measure.publish("Tokens", text + measure.table([header, *rows]) + "\n\n" + measure.table(short), options.record)


if __name__ == "__main__":
    main()
