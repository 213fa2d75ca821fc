"""Keys of n-grams and their numbers, in an open-addressing hash table."""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memset


cdef enum:
    AHEAD = 32  # look-ups whose memory is prefetched at a time; a power of 2


cdef class Index:
    """Finds the places of ``keys``, (n_keys,), distinct and not negative."""

    def __cinit__(self, const int64_t[::1] keys):
        cdef int64_t i
        cdef uint64_t at, mask
        self.table.n_keys = keys.shape[0]
        self.table.shift = shift_of(keys.shape[0])
        mask = (<uint64_t>1 << (64 - self.table.shift)) - 1
        self.table.entries = <Entry*>malloc((mask + 1) * sizeof(Entry))
        if self.table.entries == NULL:
            raise MemoryError
        huge_pages(self.table.entries, (mask + 1) * sizeof(Entry))
        with nogil:
            memset(self.table.entries, 0xFF, (mask + 1) * sizeof(Entry))
            for i in range(keys.shape[0]):
                at = home(keys[i], self.table.shift)
                while self.table.entries[at].key != FREE:
                    at = (at + 1) & mask
                self.table.entries[at].key = keys[i]
                self.table.entries[at].number = <int32_t>i

    def __dealloc__(self):
        if self.owner is None:
            free(self.table.entries)

    def entries(self):
        """Return the memory of the table, as bytes that cannot be written; it is valid until `replace_entries`."""
        return <const unsigned char[:self.n_bytes()]>(<const unsigned char*>self.table.entries)

    def replace_entries(self, const unsigned char[::1] copy):
        """Free the memory of the table and use an equal copy, which may be shared; no thread may use the table.

        Raises:
            ValueError: it is not equal.

        """
        if copy.shape[0] != self.n_bytes() or memcmp(&copy[0], self.table.entries, self.n_bytes()) != 0:
            raise ValueError("the copy differs from the table")
        if self.owner is None:
            free(self.table.entries)
        self.table.entries = <Entry*>&copy[0]
        self.owner = copy

    cdef Py_ssize_t n_bytes(self):
        return (<Py_ssize_t>1 << (64 - self.table.shift)) * <Py_ssize_t>sizeof(Entry)

    def extend(
        self, const int32_t[::1] prefixes, const int32_t[::1] symbols, const int64_t[::1] ends, Py_ssize_t first,
        Py_ssize_t last, int order, int64_t n_symbols, int32_t[::1] ids,
    ):
        """Write the number of the n-gram of ``order`` at each position of some texts to ``ids``; -1: it is unknown.

        The arrays are those of `tagline.features._core.ngrams`.
        """
        cdef Py_ssize_t text
        with nogil:
            for text in range(first, last):
                extend(
                    &self.table, &prefixes[0] + ends[text], &symbols[0] + ends[text], ends[text + 1] - ends[text],
                    order, n_symbols, &ids[0] + ends[text],
                )


cdef void extend(
    const KeyTable* table, const int32_t* prefixes, const int32_t* symbols, int64_t n, int order, int64_t n_symbols,
    int32_t* ids
) noexcept nogil:
    """Write the number of the n-gram of ``order`` at each of the ``n`` positions of a text; -1: it is unknown.

    ``ids`` may be ``prefixes``.
    """
    cdef int64_t[AHEAD] keys  # of the next positions
    cdef int64_t at, following
    cdef int64_t n_starts = max(n - order + 1, 0)  # where an n-gram can start
    for following in range(min(<int64_t>AHEAD, n_starts)):
        keys[following] = key_at(table, prefixes, symbols, following, order, n_symbols)
    for at in range(n_starts):
        following = at + AHEAD
        ids[at] = -1 if keys[at & (AHEAD - 1)] < 0 else find(table, keys[at & (AHEAD - 1)])
        if following < n_starts:
            keys[at & (AHEAD - 1)] = key_at(table, prefixes, symbols, following, order, n_symbols)
    for at in range(n_starts, n):
        ids[at] = -1


cdef inline int64_t key_at(
    const KeyTable* table, const int32_t* prefixes, const int32_t* symbols, int64_t at, int order, int64_t n_symbols
) noexcept nogil:
    """Return the key of the n-gram at a position, -1 if a part is unknown, and prefetch its entry."""
    cdef int64_t key
    if prefixes[at] < 0 or symbols[at + order - 1] < 0:
        return -1
    key = prefixes[at] * n_symbols + symbols[at + order - 1]
    prefetch(table.entries + home(key, table.shift))
    return key
