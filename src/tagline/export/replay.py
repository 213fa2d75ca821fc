"""The replay rows that verify an export: test texts, generated ones, and hostile ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tagline.classifier import TextClassifier
from tagline.data import Dataset, read_texts
from tagline.errors import InputError
from tagline.run_folder import load_model, run_of_model
from tagline.runs.reading.data import reload_data

LEAST = 1_000  # rows of a replay, and at most:
MOST = 50_000
_WORDS = 120  # of a generated text, at most

HOSTILE = [
    "",
    " \t\r\n\x0b\x0c\x85\xa0\u2003\u3000",
    "\x00\x00 nul\x00inside \x01\x1c\x1d\x1e\x1f\x7f",
    "👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇫🇷🇩🇪🇫 ☺️☺ 1️⃣ ❤️‍🔥 👨🏿‍🚀 🏴󠁧󠁢󠁥󠁮󠁧󠁿 \U0001f3fb",
    "Cafe\u0301 café na\u0308ive Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘ \u0301\u0302\u0303",
    "İstanbul ISPARTA ıI İİ \u0130\u0307 DİYARBAKIR ŞIK",
    "ΟΔΥΣΣΕΥΣ ΑΣ Σ ΣΑΣ ΑΣ. ΑΣ' Σ'Σ ΌΣΟΣ\u0301 ς σ",
    "Straße STRASSE ẞ ﬁn ﬀ ǅ Ǆ ŉ ΐ ᾳ ᾼ \u1e9e\u0345 K Å Ω",
    "这部电影非常好看，我喜欢！ この映画は素晴らしい。カタカナ ﾊﾝｶｸ 이 영화는 정말 좋다 𠮷野家 〇々〆",
    "หนังเรื่องนี้ดีมาก ที่น่าเบื่อ ພາສາລາວ ភាសាខ្មែរ မြန်မာဘာသာ",
    "فيلم رائع جِدًّا סרט נֶהְדָּר \u200fRTL\u200e \u202eoverride\u202c हिन्दी फ़िल्म অসাধারণ தமிழ்",
    "zero\u200bwidth zero\u200cnon\u200djoiner soft\u00adhyphen \ufeffbyte order\ufeff mark word\u2060joiner",
    "half of a pair \ud83d and \udc4d the other".encode("utf-8", "replace").decode(),
    "don't DON’T 'quoted' ''twice'' rock'n'roll o''clock l’été ' ’ '' d'",
    "good<br />bad<br>fine<BR/>ok<br \u2003/>x<br\x1c/>y <br/ > <brx> &lt;br&gt; <p>a</p>",
    "https://example.org/path/a-b_c?q=1&r=%C3%A9#top HTTP://EXAMPLE.ORG http:// https://例え.jp/x http://a<b http://\u201d",
    "a_b __x__ 3.14 1,000,000 ½ ² ① Ⅷ 10/10 $5 €20 50% C++ C# .NET a.b.c x@y.z #tag @name",
    "… — – ‐ “quoted” «guillemets» ¿qué? ¡no! § ¶ † ‡ • · ™ © ® ° ± × ÷ ∑ √ ∞ ≈ ≠ ≤ ≥ ← ↑ →",
    "\ufffd \ufffe \uffff \U0010ffff \ue000 \U000e0001 \U000e0041 \ufdd0",
    "a" * 5_000,
    "é" * 3_000 + " " + "\u0301" * 3_000,
    "!?" * 2_000,
    "\n".join(["line"] * 1_000),
    "A good film, not a bad one! " * 37_500,  # 1 MB
    "👍🏽好" * 20_000,
    # Every character of the lower planes; side by side, marks of a new version of Unicode may change places in NFC.
    " ".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0x11000)])),
]


@dataclass(frozen=True)
class Replay:
    """The rows that verify an export: ``texts``, or sequences of ids for a model without words.

    In this order, with the number of each: ``held_out`` test rows of the run, or rows of a ``given`` file; ``seen``
    other rows of the data; ``drawn`` texts from the vocabulary; ``hostile`` ones.
    """

    texts: list[str] | list[list[int]]
    held_out: int
    seen: int
    drawn: int
    hostile: int
    given: bool = False

    @property
    def sentence(self) -> str:
        """A description of the rows."""
        first = "rows of the given file" if self.given else "test rows of the data it was trained on"
        parts = [
            (self.held_out, first),
            (self.seen, "rows it was trained on"),
            (self.drawn, "texts drawn from its vocabulary"),
            (self.hostile, "hostile texts"),
        ]
        return ", ".join(f"{n:,} {what}" for n, what in parts if n)


def replay_rows(model_path: str | Path, given: str | Path | None = None) -> list[str]:
    """Return the texts of ``make_replay``, held-out ones first; none for a model of ids without words."""
    replay = make_replay(model_path, given)
    return [text for text in replay.texts if isinstance(text, str)]


def make_replay(model_path: str | Path, given: str | Path | None = None) -> Replay:
    """Return the rows that verify an export of the model in ``model_path``: at least 1,000, and hostile ones.

    They are the rows of the file ``given``, or the test rows of the run of the model, if its data can be read again and
    has not changed. If these are few, other rows of the data and texts drawn from the vocabulary are added.

    Raises:
        InputError: model or file cannot be read.

    """
    clf = load_model(model_path)
    if not clf.vectorizer_.reads_texts:
        if given is not None:
            raise InputError(
                "The model was trained on word ids without a word index and reads no texts: remove `--replay`."
            )
        return _of_ids(clf.vectorizer_.n_columns)
    seen: list[str] = []
    if given is not None:
        held_out = _texts_of(given, clf)
    else:
        dataset = _same_data(model_path, clf)
        held_out = [] if dataset is None or dataset.test is None else dataset.test.texts.to_list()
        if dataset is not None and len(held_out) < LEAST:
            parts = [part for part in (dataset.validation, dataset.train) if part is not None]
            seen = pl.concat([part.texts for part in parts]).head(LEAST - len(held_out)).to_list()
    held_out = held_out[:MOST]
    drawn = _drawn(clf, max(0, LEAST - len(held_out) - len(seen)))
    texts = [*held_out, *seen, *drawn, *HOSTILE]
    return Replay(texts, len(held_out), len(seen), len(drawn), len(HOSTILE), given is not None)


def _texts_of(file: str | Path, clf: TextClassifier) -> list[str]:
    columns = clf.card_.get("text_columns") or []
    texts: list[str] = []
    for batch in read_texts(file, batch_rows=10_000, text=columns if len(columns) > 1 else None):
        texts += batch.texts.filter(batch.reasons.is_null()).to_list()
        if len(texts) >= MOST:
            break
    if not texts:
        raise InputError(f"`{file}` has no rows to replay.")
    return texts


def _same_data(model_path: str | Path, clf: TextClassifier) -> Dataset | None:
    """Return the training data of the model, None if it cannot be read again or has changed."""
    run = run_of_model(model_path, (clf.card_.get("dataset") or {}).get("fingerprint"))
    return None if run is None else reload_data(run)


def _drawn(clf: TextClassifier, n: int) -> list[str]:
    """Return texts of random words of the vocabulary, frequent ones more often, and a few unknown ones."""
    words = [*clf.vectorizer_.vocabulary(), "xyzzy"]
    rng = np.random.default_rng(0)
    texts = []
    for _ in range(n):
        ranks = (len(words) * rng.random(rng.integers(1, _WORDS)) ** 3).astype(np.int64)
        text = " ".join(words[rank] for rank in ranks)
        texts.append(text.upper() if rng.random() < 0.1 else text)
    return texts


def _of_ids(n_ids: int) -> Replay:
    """Return sequences of ids: random ones, and hostile ones: empty, only padding, a single id, very long."""
    rng = np.random.default_rng(0)
    last = n_ids - 1
    drawn = [rng.integers(1, last + 1, rng.integers(1, _WORDS)).tolist() for _ in range(LEAST)]
    hostile: list[list[int]] = [[], [0], [0, 0, 1, 0, last, 0], [last], [1] * 100_000]
    return Replay([*drawn, *hostile], 0, 0, len(drawn), len(hostile))
