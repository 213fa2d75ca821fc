"""The n-grams of words or characters of a linear model, and their columns in a text."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from tagline.features._core.buffers cimport NO_MEMORY, Ids, reserve_ids
from tagline.features._core.characters cimport decode
from tagline.features._core.index cimport Index, KeyTable, extend, find, prefetch
from tagline.features._core.sorting cimport sort_places


cdef enum:
    MOST_SORTED = 1024  # symbols of a text whose n-grams are sorted at once


cdef class Block:
    """Word or character n-grams: the orders' ``indexes``, from order 2 on."""

    def __cinit__(self, int min_n, indexes, int64_t n_symbols, Index alphabet):
        """Take the index of the code points as ``alphabet`` for n-grams of characters, None for those of words."""
        cdef int i
        cdef Index index
        self.grams.min_n = min_n
        self.grams.max_n = len(indexes) + 1
        self.grams.n_symbols = n_symbols
        self.grams.orders = <const KeyTable**>calloc(len(indexes) + 1, sizeof(KeyTable*))
        if self.grams.orders == NULL:
            raise MemoryError
        sizes = [n_symbols]
        for i in range(len(indexes)):
            index = indexes[i]
            if index is None:
                raise TypeError("an order of n-grams has no index")
            self.grams.orders[i] = &index.table
            sizes.append(index.table.n_keys)
        self.grams.of_words = alphabet is None
        if alphabet is not None:
            if alphabet.table.n_keys > n_symbols:
                raise ValueError(f"the alphabet has {alphabet.table.n_keys:,} characters for {n_symbols:,} symbols")
            self.grams.alphabet = &alphabet.table
            for i in range(ASCII):
                self.grams.ascii[i] = find(&alphabet.table, i)
        self.owners = (list(indexes), alphabet)
        if not 1 <= min_n <= self.grams.max_n:
            raise ValueError(f"there are no n-grams of {min_n:,} to {self.grams.max_n:,} symbols")
        self.grams.n_columns = sum(sizes[min_n - 1:])

    def __dealloc__(self):
        free(self.grams.orders)


cdef int append_columns(
    const Grams* grams, const Ids* symbols, size_t n_starts, Ids* level, Ids* places, Ids* columns
) noexcept nogil:
    """Append the columns of the n-grams that start at the first ``n_starts`` of some symbols.

    With ``places``, they are sorted, unless there are many. Their numbers increase with that of the first symbol, so
    that little is left to sort within each order.
    """
    cdef int order
    cdef size_t i, n = n_starts, first, at
    cdef int64_t offset = 0
    cdef int32_t column
    cdef bint by_symbol = places != NULL and n_starts <= MOST_SORTED
    if n_starts == 0:
        return 0
    if (
        reserve_ids(level, symbols.size) < 0
        or reserve_ids(columns, columns.size + n_starts * (grams.max_n - grams.min_n + 1)) < 0
        or by_symbol and reserve_ids(places, 2 * n_starts) < 0
    ):
        return NO_MEMORY
    if by_symbol:
        n = sort_places(symbols.data, n_starts, places.data, places.data + n_starts)
    memcpy(level.data, symbols.data, symbols.size * sizeof(int32_t))
    for order in range(1, grams.max_n + 1):
        if order > 1:
            extend(grams.orders[order - 2], level.data, symbols.data, symbols.size, order, grams.n_symbols, level.data)
        if order >= grams.min_n:
            first = columns.size
            for i in range(n):
                column = level.data[places.data[i] if by_symbol else i]
                if column < 0:
                    continue
                column += <int32_t>offset
                prefetch(grams.weights + column * grams.n_weights)
                at = columns.size
                columns.size += 1
                while by_symbol and at > first and columns.data[at - 1] > column:
                    columns.data[at] = columns.data[at - 1]
                    at -= 1
                columns.data[at] = column
            offset += grams.n_symbols if order == 1 else grams.orders[order - 2].n_keys
    return 0


cdef int append_word(
    const Grams* grams, const unsigned char* word, size_t length, Ids* characters, Ids* level, Ids* columns
) noexcept nogil:
    """Append the columns of the n-grams of characters in a word between two spaces; leave these in ``characters``."""
    cdef size_t at = 0, width
    cdef unsigned int point
    cdef int32_t* symbols
    if reserve_ids(characters, length + 2) < 0:
        return NO_MEMORY
    symbols = characters.data
    symbols[0] = grams.ascii[c' ']
    characters.size = 1
    while at < length:
        width = 1
        point = word[at]
        if point >= ASCII:
            point = decode(word + at, length - at, &width)
        symbols[characters.size] = grams.ascii[point] if point < ASCII else find(grams.alphabet, point)
        characters.size += 1
        at += width
    symbols[characters.size] = grams.ascii[c' ']
    characters.size += 1
    return append_columns(grams, characters, characters.size, level, NULL, columns)


cdef int64_t n_grams_of(const Grams* grams, int64_t n_symbols) noexcept nogil:
    """Return how many n-grams so many symbols have."""
    cdef int order
    cdef int64_t n = 0
    for order in range(grams.min_n, grams.max_n + 1):
        n += max(n_symbols - order + 1, 0)
    return n
