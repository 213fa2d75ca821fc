"""Train one of the tutorials' networks in Keras on TensorFlow, as in the tutorial.

`gru`, `bilstm` and `cnn`, which the tutorials suggest as next steps, are tagline's recipes of these names with a
constant learning rate.

::

    python benchmarks/keras_tutorials.py NAME --arrays FILE.npz --epochs N --seed S --json OUT

``NAME`` is a key of ``SYSTEMS``. FILE.npz contains encoded texts, ids below 10,000 with 0 for padding: ``train_ids``
and ``test_ids`` are the concatenated ids of all texts, ``train_lengths`` and ``test_lengths`` the number of ids of each
text, ``train_labels`` and ``test_labels`` the classes, (n_texts,). All training rows are used for training, and the
test rows are evaluated once. OUT contains the seconds of each stage without imports and reading, the test accuracy,
the peak memory of the process, and versions. The script needs the packages `keras` and `tensorflow`.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

NUM_WORDS = 10_000
RECURRENT_WORDS, CNN_WORDS = 5_000, 6_000
NEWSWIRE_CLASSES = 46

Sequences = list[list[int]]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class System:
    """A tutorial: its encoding of ids, its compiled network, batch size and epochs."""

    encode: Callable[[Sequences], NDArray[Any]]
    build: Callable[[], Any]
    batch_size: int
    epochs: int
    n_classes: int = 2


def vectorize_sequences(sequences: Sequences, dimension: int = NUM_WORDS) -> Floats:
    """Return 1 where a text contains a word, else 0, (n_texts, dimension).

    As in Chollet, Deep Learning with Python (2017), section 3.4, but as float32, which the network takes, instead of
    NumPy's default float64; this is in Keras's favour.
    """
    results = np.zeros((len(sequences), dimension), dtype=np.float32)
    for i, sequence in enumerate(sequences):
        results[i, sequence] = 1.0
    return results


def pad(maxlen: int, truncating: str, num_words: int = NUM_WORDS) -> Callable[[Sequences], NDArray[Any]]:
    """Return a function that pads texts with zeros at the end, or truncates them: (n_texts, maxlen) int32.

    Ids from ``num_words`` on become 2, the unknown word.
    """

    def encode(sequences: Sequences) -> NDArray[Any]:
        from keras.utils import pad_sequences

        padded: NDArray[Any] = pad_sequences(sequences, maxlen=maxlen, padding="post", truncating=truncating)
        padded[padded >= num_words] = 2
        return padded

    return encode


def build_multihot_dense() -> Any:
    """Return the network of Deep Learning with Python, section 3.4: two layers of 16."""
    from keras import Sequential, layers, optimizers

    return _compile(
        Sequential(
            [
                layers.Dense(16, activation="relu"),
                layers.Dense(16, activation="relu"),
                layers.Dense(1, activation="sigmoid"),
            ]
        ),
        optimizers.RMSprop(1e-3),
    )


def build_newswire_dense() -> Any:
    """Return the network of Deep Learning with Python, section 3.5: two layers of 64, 46 classes."""
    from keras import Sequential, layers, optimizers

    return _compile(
        Sequential(
            [
                layers.Dense(64, activation="relu"),
                layers.Dense(64, activation="relu"),
                layers.Dense(NEWSWIRE_CLASSES, activation="softmax"),
            ]
        ),
        optimizers.RMSprop(1e-3),
        loss="categorical_crossentropy",
    )


def build_embedding_average(slow: bool = False) -> Any:
    """Return the averaged embeddings of TensorFlow's tutorial on film reviews.

    ``slow``: a learning rate of 1e-5 that decays as 1 / (1 + 1e-5 * step), as Keras 2 did for ``decay=1e-5``.
    """
    from keras import Sequential, layers, optimizers

    rate = optimizers.schedules.InverseTimeDecay(1e-5, decay_steps=1, decay_rate=1e-5) if slow else 1e-3
    return _compile(
        Sequential(
            [
                layers.Embedding(NUM_WORDS, 16),
                layers.GlobalAveragePooling1D(),
                layers.Dense(16, activation="relu"),
                layers.Dense(1, activation="sigmoid"),
            ]
        ),
        optimizers.Adam(rate),
    )


def build_lstm(mask_zero: bool = False) -> Any:
    """Return an LSTM of 64 units with input and recurrent dropout; ``mask_zero``: padding is masked."""
    from keras import Sequential, layers, optimizers

    return _compile(
        Sequential(
            [
                layers.Embedding(NUM_WORDS, 128, mask_zero=mask_zero),
                layers.LSTM(64, dropout=0.2, recurrent_dropout=0.2),
                layers.Dense(64, activation="relu"),
                layers.Dropout(0.5),
                layers.Dense(1, activation="sigmoid"),
            ]
        ),
        optimizers.Adam(1e-3),
    )


def build_recurrent(bidirectional: bool = False) -> Any:
    """Return tagline's recipe `gru`, or `bilstm`: the maximum of each unit over all words.

    At masked steps a layer repeats its last output, so the maximum is that of the words; the backward layer of
    `bilstm`, which reads the padding first, outputs zeros there.
    """
    from keras import Sequential, layers, optimizers

    cell = layers.Bidirectional(layers.LSTM(32, return_sequences=True)) if bidirectional else None
    return _compile(
        Sequential(
            [
                layers.Embedding(RECURRENT_WORDS, 64, mask_zero=True),
                layers.Dropout(0.4),
                cell or layers.GRU(64, return_sequences=True),
                layers.GlobalMaxPooling1D(),
                layers.Dense(64, activation="relu"),
                layers.Dropout(0.5),
                layers.Dense(1, activation="sigmoid"),
            ]
        ),
        optimizers.Adam(2e-3),
    )


def build_cnn() -> Any:
    """Return tagline's recipe `cnn`: a convolution with 350 filters of three words."""
    from keras import Sequential, layers, optimizers

    return _compile(
        Sequential(
            [
                layers.Embedding(CNN_WORDS, 64),
                layers.Dropout(0.3),
                layers.Conv1D(350, 3, activation="relu"),
                layers.GlobalMaxPooling1D(),
                layers.Dense(250, activation="relu"),
                layers.Dropout(0.4),
                layers.Dense(1, activation="sigmoid"),
            ]
        ),
        optimizers.Adam(1e-3),
    )


def _compile(model: Any, optimizer: Any, loss: str = "binary_crossentropy") -> Any:
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return model


SYSTEMS = {
    "multihot-dense": System(vectorize_sequences, build_multihot_dense, batch_size=512, epochs=4),
    "embedding-average": System(pad(256, "pre"), build_embedding_average, batch_size=512, epochs=10),
    "embedding-average-slow": System(
        pad(256, "pre"), lambda: build_embedding_average(slow=True), batch_size=512, epochs=60
    ),
    "lstm": System(pad(200, "post"), build_lstm, batch_size=64, epochs=5),
    "lstm-masked": System(pad(200, "post"), lambda: build_lstm(mask_zero=True), batch_size=64, epochs=5),
    "gru": System(pad(400, "pre", RECURRENT_WORDS), build_recurrent, batch_size=64, epochs=3),
    "bilstm": System(
        pad(400, "pre", RECURRENT_WORDS), lambda: build_recurrent(bidirectional=True), batch_size=64, epochs=3
    ),
    "cnn": System(pad(600, "pre", CNN_WORDS), build_cnn, batch_size=32, epochs=3),
    "newswire-dense": System(
        vectorize_sequences, build_newswire_dense, batch_size=512, epochs=9, n_classes=NEWSWIRE_CLASSES
    ),
}


def read_sequences(path: Path, split: str) -> tuple[Sequences, NDArray[np.int64]]:
    """Return lists of ids, as Keras's ``load_data`` returns them, and labels, (n_texts,)."""
    with np.load(path, allow_pickle=False) as arrays:
        ids, lengths, labels = (arrays[f"{split}_{part}"] for part in ("ids", "lengths", "labels"))
    parts = np.split(ids, np.cumsum(lengths)[:-1])
    return [part.tolist() for part in parts], labels.astype(np.int64)


def encode_labels(labels: NDArray[np.int64], n_classes: int) -> Floats:
    """Return 0.0 and 1.0, (n_texts,), or for several classes one-hot rows, (n_texts, n_classes)."""
    if n_classes == 2:
        return labels.astype(np.float32)
    from keras.utils import to_categorical

    one_hot: Floats = to_categorical(labels, n_classes)
    return one_hot


def peak_rss_mb() -> float:
    """Return the peak memory of this process so far, in MB."""
    per_mb = 1024 * (1024 if sys.platform == "darwin" else 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mb, 1)


def run(name: str, arrays: Path, epochs: int | None, seed: int) -> dict[str, Any]:
    """Read, encode, train and test; return the figures."""
    import keras
    import tensorflow as tf

    imported_mb = peak_rss_mb()
    system = SYSTEMS[name]
    n_epochs = epochs or system.epochs
    train, train_labels = read_sequences(arrays, "train")
    test, test_labels = read_sequences(arrays, "test")
    keras.utils.set_random_seed(seed)
    read_mb = peak_rss_mb()

    begin = time.perf_counter()
    x_train, y_train = system.encode(train), encode_labels(train_labels, system.n_classes)
    x_test, y_test = system.encode(test), encode_labels(test_labels, system.n_classes)
    vectorised = time.perf_counter()
    model = system.build()
    ends: list[float] = []
    record_end = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter()))
    model.fit(x_train, y_train, batch_size=system.batch_size, epochs=n_epochs, callbacks=[record_end], verbose=0)
    trained = time.perf_counter()
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    tested = time.perf_counter()
    return {
        "system": name,
        "epochs": n_epochs,
        "batch_size": system.batch_size,
        "seed": seed,
        "rows": {"train": len(train), "test": len(test)},
        "parameters": model.count_params(),
        "accuracy": float(accuracy),
        "seconds": {
            "vectorise": round(vectorised - begin, 3),
            "train": round(trained - vectorised, 3),
            "per_epoch": [round(seconds, 3) for seconds in np.diff([vectorised, *ends])],
            "test": round(tested - trained, 3),
        },
        "peak_rss_mb": peak_rss_mb(),
        "peak_rss_mb_after_imports": imported_mb,
        "peak_rss_mb_after_reading": read_mb,
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one system and write its JSON document."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=SYSTEMS, help="the tutorial")
    parser.add_argument("--arrays", type=Path, required=True, help="the .npz of encoded texts")
    parser.add_argument("--epochs", type=int, help="default: the tutorial's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, required=True, help="output file for the figures")
    options = parser.parse_args(arguments)
    figures = run(options.name, options.arrays, options.epochs, options.seed)
    options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
