from collections.abc import Sequence

from tagline.features._core.index import Index

class Block:
    def __init__(self, min_n: int, indexes: Sequence[Index], n_symbols: int, alphabet: Index | None) -> None: ...
