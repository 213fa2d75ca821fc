"""Tokens and their ids, in a hash table: `Vocabulary` has given ids, `Interner` numbers tokens as they come."""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import numpy as np

from tagline.features._core.arrow cimport Strings, Text, Texts
from tagline.features._core.buffers cimport NO_MEMORY, Ids
from tagline.features._core.pieces cimport Place, next_text, next_tokens
from tagline.features._core.token_table cimport (
    Table, fill, fill_stop_words, find_all, free_table, insert_all, insert_entry, open_table,
)
from tagline.features._core.tokens cimport Scratch, Settings, Workspace, read_settings

from tagline.parallel import checkpoint


cdef enum:
    STEP = 1 << 20  # bytes between two looks for Ctrl-C


# Texts to ids, in steps.

ctypedef int (*Take)(Table*, Scratch*, Ids*) noexcept nogil


cdef int step(
    Take take, Table* table, Scratch* scratch, Settings settings, const Text* texts, Py_ssize_t last, Place* place,
    int64_t* ends, Ids* ids
) noexcept nogil:
    """Go on from ``place`` for about `STEP` bytes."""
    cdef size_t stop = place.read + STEP
    cdef int status
    while place.text < last and place.read < stop:
        status = next_tokens(scratch, settings, texts, place)
        if status == 1:
            status = take(table, scratch, ids)
        else:
            ends[place.text] = ids.size
            next_text(place)
        if status == NO_MEMORY:
            return NO_MEMORY
    return 0


cdef object ids_of_texts(
    Take take, Table* table, Workspace workspace, Settings settings, Texts texts, Py_ssize_t first, Py_ssize_t last
):
    """Return the ids of the tokens of texts ``first`` to ``last``, int32, and where each text ends among them."""
    cdef Ids ids
    cdef Place place
    cdef int status = 0
    cdef int64_t[::1] ends
    cdef int32_t[::1] copy
    if not 0 <= first <= last <= texts.size:
        raise IndexError("there are no such texts")
    ends_of_texts = np.empty(last - first, dtype=np.int64)
    ends = ends_of_texts
    memset(&ids, 0, sizeof(ids))
    memset(&place, 0, sizeof(place))
    try:
        while place.text < last - first:
            with nogil:
                status = step(
                    take, table, &workspace.scratch, settings, texts.at + first, last - first, &place, &ends[0], &ids
                )
            if status == NO_MEMORY:
                raise MemoryError
            if place.text < last - first:
                PyErr_CheckSignals()
                checkpoint()
        found = np.empty(ids.size, dtype=np.int32)
        if ids.size:
            copy = found
            memcpy(&copy[0], ids.data, ids.size * sizeof(int32_t))
        return found, ends_of_texts
    finally:
        free(ids.data)


cdef class Vocabulary:
    """The ids of given tokens: the position of each in ``tokens``, the first if it is there twice.

    Tokens that are not in it have the id -1; stop words have none. Put frequent tokens first: they share the cache.
    """

    def __cinit__(self, Texts tokens not None, rule, nfc, stop_words):
        self.settings = read_settings(rule, nfc)
        if open_table(&self.table) < 0:
            raise MemoryError
        fill_stop_words(&self.table, stop_words)
        fill(&self.table, tokens)

    def __dealloc__(self):
        free_table(&self.table)

    def look_up(self, Texts texts not None, Py_ssize_t first, Py_ssize_t last):
        """Return the ids of the tokens of texts ``first`` to ``last``, (n_tokens,), and the end of each text."""
        return ids_of_texts(find_all, &self.table, Workspace(), self.settings, texts, first, last)


cdef class Interner:
    """Numbers tokens as they come, for one thread; stop words are left out."""

    cdef Table table
    cdef Settings settings
    cdef Workspace workspace

    def __cinit__(self, rule, nfc, stop_words):
        self.settings = read_settings(rule, nfc)
        self.workspace = Workspace()
        if open_table(&self.table) < 0:
            raise MemoryError
        fill_stop_words(&self.table, stop_words)

    def __dealloc__(self):
        free_table(&self.table)

    def __len__(self):
        return self.table.n_entries - self.table.n_stop_words

    def add(self, Texts texts not None, Py_ssize_t first, Py_ssize_t last):
        """Return the ids of the tokens of texts ``first`` to ``last``, (n_tokens,), and the end of each text."""
        return ids_of_texts(insert_all, &self.table, self.workspace, self.settings, texts, first, last)

    def merge(self, Interner other not None, Py_ssize_t first, Py_ssize_t last, int32_t[::1] ids):
        """Number the tokens ``first`` to ``last`` of another one here, and write their ids here into ``ids``."""
        cdef Py_ssize_t i
        cdef int32_t entry = 0
        if not 0 <= first <= last <= min(len(other), ids.shape[0]):
            raise IndexError("there are no such tokens")
        with nogil:
            for i in range(first, last):
                entry = insert_entry(&self.table, &other.table, <int32_t>i + other.table.n_stop_words)
                if entry == NO_MEMORY:
                    break
                ids[i] = entry - self.table.n_stop_words
        if entry == NO_MEMORY:
            raise MemoryError

    def strings(self):
        """Return the tokens by id, for ``polars.Series``."""
        cdef Py_ssize_t n = len(self), i
        cdef int64_t start = self.table.ends[self.table.n_stop_words]
        cdef size_t size = self.table.ends[self.table.n_entries] - start
        cdef unsigned char* data = <unsigned char*>malloc(size + 1)
        cdef int64_t* ends = <int64_t*>malloc((n + 1) * sizeof(int64_t))
        if data == NULL or ends == NULL:
            free(data)
            free(ends)
            raise MemoryError
        if size:
            memcpy(data, self.table.bytes + start, size)
        for i in range(n + 1):
            ends[i] = self.table.ends[i + self.table.n_stop_words] - start
        return Strings.take(data, ends, n)


def renumber(const int32_t[::1] ids, const int32_t[::1] numbers, int32_t[::1] to):
    """Write ``numbers[id]`` of each id into ``to``."""
    cdef Py_ssize_t i
    cdef int32_t n = <int32_t>numbers.shape[0]
    cdef bint outside = False
    if to.shape[0] != ids.shape[0]:
        raise ValueError("the arrays differ in length")
    with nogil:
        for i in range(ids.shape[0]):
            if 0 <= ids[i] < n:
                to[i] = numbers[ids[i]]
            else:
                outside = True
    if outside:
        raise IndexError("there are no such ids")
