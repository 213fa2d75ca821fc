"""IMDB and Reuters as the Keras tutorials load them: the same functions and ids, without Keras.

>>> from tagline.keras_datasets import imdb  # doctest: +SKIP
>>> (train_data, train_labels), (test_data, test_labels) = imdb.load_data(num_words=10000)  # doctest: +SKIP
>>> train_data[0][:8]  # doctest: +SKIP
[1, 14, 22, 16, 43, 530, 973, 1622]
"""

from tagline.keras_datasets import imdb, reuters

__all__ = ["imdb", "reuters"]
