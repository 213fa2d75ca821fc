"""Logits of a linear model of n-grams, text by text: no matrix, and the same bits alone and in a batch.

The sums run in the order of the columns, as those of the sparse product of `Vectorizer.transform` and the coefficients.
"""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from tagline.features._core.arrow cimport Text, Texts
from tagline.features._core.characters cimport decode
from tagline.features._core.index cimport Index, KeyTable, extend, find, prefetch
from tagline.features._core.sorting cimport sort_ids
from tagline.features._core.tokens cimport Scratch, clean_piece, free_scratch, piece_end, read_tokens
from tagline.features._core.vocabulary cimport Ids, Vocabulary, find_all, is_left_out, reserve_ids

import numpy as np

cdef enum:
    NO_MEMORY = -1
    ASCII = 128
    STEP = 1 << 20  # bytes of texts between looks for signals


# The n-grams of words or characters, and what they weigh.
cdef struct Grams:
    bint of_words
    int min_n
    int max_n
    int64_t n_symbols
    const KeyTable** orders  # of order 2, 3, ...
    const KeyTable* alphabet  # code points to symbols
    int32_t[ASCII] ascii  # the same
    const float* scale
    int64_t first_column  # among the coefficients
    int64_t n_columns


# The memory of one thread; all zero at first.
cdef struct Work:
    Scratch scratch
    Ids words  # of a text, their symbols
    Ids characters  # of a word, their symbols
    Ids level  # the n-grams of an order that start at each symbol
    Ids* columns  # of a text, for each block
    Ids spare
    int64_t n_grams  # of the first block, known or not
    bint remembers  # whether the n-grams of known words are known


cdef class Block:
    """Word or character n-grams: the orders' ``indexes``, from order 2 on, and the scales of the columns."""

    cdef Grams grams
    cdef object owners

    def __cinit__(self, int min_n, indexes, int64_t n_symbols, const float[::1] scale, Index alphabet):
        """Take the index of the code points as ``alphabet`` for n-grams of characters, None for those of words."""
        cdef int i
        self.grams.min_n = min_n
        self.grams.max_n = len(indexes) + 1
        self.grams.n_symbols = n_symbols
        self.grams.n_columns = scale.shape[0]
        self.grams.scale = &scale[0] if scale.shape[0] else NULL
        self.grams.orders = <const KeyTable**>calloc(len(indexes) + 1, sizeof(KeyTable*))
        if self.grams.orders == NULL:
            raise MemoryError
        for i in range(len(indexes)):
            self.grams.orders[i] = &(<Index?>indexes[i]).table
        self.grams.of_words = alphabet is None
        if alphabet is not None:
            self.grams.alphabet = &alphabet.table
            for i in range(ASCII):
                self.grams.ascii[i] = find(&alphabet.table, i)
        self.owners = (list(indexes), np.asarray(scale), alphabet)
        n_columns = sum([n_symbols, *((<Index>index).table.n_keys for index in indexes)][min_n - 1:])
        if not 1 <= min_n <= self.grams.max_n or n_columns != scale.shape[0]:
            raise ValueError(f"there are {scale.shape[0]:,} scales for {n_columns:,} n-grams")

    def __dealloc__(self):
        free(self.grams.orders)


cdef int append_columns(Grams* grams, const Ids* symbols, Ids* level, Ids* columns) noexcept nogil:
    """Append the columns of the n-grams of some symbols."""
    cdef int order
    cdef size_t i
    cdef int64_t offset = 0
    if symbols.size == 0:
        return 0
    if (
        reserve_ids(level, symbols.size) < 0
        or reserve_ids(columns, columns.size + symbols.size * (grams.max_n - grams.min_n + 1)) < 0
    ):
        return NO_MEMORY
    memcpy(level.data, symbols.data, symbols.size * sizeof(int32_t))
    for order in range(1, grams.max_n + 1):
        if order > 1:
            extend(grams.orders[order - 2], level.data, symbols.data, symbols.size, order, grams.n_symbols, level.data)
        if order >= grams.min_n:
            for i in range(symbols.size):
                columns.data[columns.size] = <int32_t>(level.data[i] + offset)
                columns.size += level.data[i] >= 0
            offset += grams.n_symbols if order == 1 else grams.orders[order - 2].n_keys
    return 0


cdef int64_t n_starts(const Grams* grams, int64_t n_symbols) noexcept nogil:
    """Return how many n-grams so many symbols have."""
    cdef int order
    cdef int64_t n = 0
    for order in range(grams.min_n, grams.max_n + 1):
        n += max(n_symbols - order + 1, 0)
    return n


cdef int append_word(
    Grams* grams, Work* work, const unsigned char* word, size_t length, Ids* columns
) noexcept nogil:
    """Append the columns of the n-grams of characters in a word between two spaces; leave these in ``characters``."""
    cdef size_t at = 0, width
    cdef unsigned int point
    cdef int32_t* symbols
    if reserve_ids(&work.characters, length + 2) < 0:
        return NO_MEMORY
    symbols = work.characters.data
    symbols[0] = grams.ascii[c' ']
    work.characters.size = 1
    while at < length:
        width = 1
        point = word[at]
        if point >= ASCII:
            point = decode(word + at, length - at, &width)
        symbols[work.characters.size] = grams.ascii[point] if point < ASCII else find(grams.alphabet, point)
        work.characters.size += 1
        at += width
    symbols[work.characters.size] = grams.ascii[c' ']
    work.characters.size += 1
    return append_columns(grams, &work.characters, &work.level, columns)


# The columns of the n-grams of characters in each word of a vocabulary.
cdef struct WordColumns:
    int64_t* ends  # (n_words + 1,)
    Ids columns


@cython.final
cdef class Scorer:
    """A linear model of the n-grams of ``blocks``: ``coef``, (n_columns, n_outputs), and ``intercept``, (n_outputs,).

    ``vocabulary`` has the settings of the tokenizer, and the symbols of n-grams of words.
    """

    cdef Vocabulary vocabulary
    cdef list blocks
    cdef Grams** grams
    cdef WordColumns* of_words  # for each block
    cdef bint remembers  # whether `of_words` is filled
    cdef bint unit
    cdef const float[:, ::1] coef
    cdef const double[::1] intercept

    def __cinit__(
        self, Vocabulary vocabulary not None, blocks, bint unit, const float[:, ::1] coef, const double[::1] intercept
    ):
        cdef int64_t n_columns = 0
        cdef Block block
        self.vocabulary = vocabulary
        self.blocks = list(blocks)
        self.unit = unit
        self.coef = coef
        self.intercept = intercept
        self.grams = <Grams**>calloc(len(self.blocks) + 1, sizeof(Grams*))
        self.of_words = <WordColumns*>calloc(len(self.blocks) + 1, sizeof(WordColumns))
        if self.grams == NULL or self.of_words == NULL:
            raise MemoryError
        for i in range(len(self.blocks)):
            block = self.blocks[i]
            self.grams[i] = &block.grams
            block.grams.first_column = n_columns
            n_columns += block.grams.n_columns
            if block.grams.of_words and block.grams.n_symbols < vocabulary.table.n_entries - vocabulary.table.n_left_out:
                raise ValueError("the vocabulary has more words than the n-grams have symbols")
        if coef.shape[0] != n_columns or coef.shape[1] != intercept.shape[0]:
            raise ValueError(f"there are coefficients for {coef.shape[0]:,} of {n_columns:,} n-grams")

    def __dealloc__(self):
        free(self.grams)
        if self.of_words != NULL:
            for b in range(len(self.blocks)):
                free(self.of_words[b].ends)
                free(self.of_words[b].columns.data)
        free(self.of_words)

    def remember_words(self):
        """Find the n-grams of characters in the words of the vocabulary once, for many texts; call it once.

        Texts that are scored meanwhile do without.
        """
        cdef int b
        cdef int32_t word, n_words = self.vocabulary.table.n_entries - self.vocabulary.table.n_left_out
        cdef const int64_t* ends = self.vocabulary.table.ends + self.vocabulary.table.n_left_out
        cdef WordColumns* known
        cdef Work work
        cdef int status = 0
        for b in range(len(self.blocks)):
            known = &self.of_words[b]
            if self.grams[b].of_words:
                continue
            known.ends = <int64_t*>calloc(n_words + 1, sizeof(int64_t))
            if known.ends == NULL:
                raise MemoryError
            memset(&work, 0, sizeof(work))
            with nogil:
                for word in range(n_words):
                    if append_word(
                        self.grams[b], &work, self.vocabulary.table.bytes + ends[word], ends[word + 1] - ends[word],
                        &known.columns
                    ) < 0:
                        status = NO_MEMORY
                        break
                    known.ends[word + 1] = known.columns.size
                free(work.characters.data)
                free(work.level.data)
            if status < 0:
                raise MemoryError
        self.remembers = True

    cdef int read_characters(self, int b, Work* work, size_t first_word) noexcept nogil:
        """Append the columns of the n-grams of characters in the last tokens read, whose ids follow ``first_word``."""
        cdef size_t i, n, word = first_word
        cdef Ids* columns = &work.columns[b]
        cdef const WordColumns* known = &self.of_words[b]
        cdef const unsigned char* token
        cdef int32_t id_
        for i in range(work.scratch.n_tokens):
            token = work.scratch.clean.data + work.scratch.tokens[i].start
            if is_left_out(&self.vocabulary.table, token, work.scratch.tokens[i].length):
                continue
            id_ = work.words.data[word]
            word += 1
            if id_ >= 0 and work.remembers:
                n = known.ends[id_ + 1] - known.ends[id_]
                if reserve_ids(columns, columns.size + n) < 0:
                    return NO_MEMORY
                memcpy(columns.data + columns.size, known.columns.data + known.ends[id_], n * sizeof(int32_t))
                columns.size += n
                continue
            if append_word(self.grams[b], work, token, work.scratch.tokens[i].length, columns) < 0:
                return NO_MEMORY
            if b == 0:  # there are no words, whose columns could be known
                work.n_grams += n_starts(self.grams[b], work.characters.size)
        return 0

    def score(
        self, Texts texts not None, Py_ssize_t first, Py_ssize_t last, const double[::1] frequencies,
        double[:, ::1] logits, int64_t[:, ::1] n_grams,
    ):
        """Write the logits of texts ``first`` to ``last``, last excluded, to their rows, (n_texts, n_outputs).

        ``frequencies`` is the term frequency of each count, (n_counts,). Return 0, or the number of an n-gram in a text
        if it is not among these counts; then the logits are not complete. ``n_grams``, (n_texts, 2), gets the number of
        n-grams of the first block that are known, and of all.
        """
        cdef Py_ssize_t text = first
        cdef int64_t status = 0
        cdef size_t read
        cdef int n_blocks = len(self.blocks)
        cdef Work work
        if not 0 <= first <= last <= texts.size:
            raise IndexError("there are no such texts")
        if (
            min(logits.shape[0], n_grams.shape[0]) < last
            or logits.shape[1] != self.intercept.shape[0]
            or n_grams.shape[1] != 2
        ):
            raise ValueError("there is no room for the logits")
        memset(&work, 0, sizeof(work))
        work.remembers = self.remembers
        try:
            work.columns = <Ids*>calloc(n_blocks + 1, sizeof(Ids))
            if work.columns == NULL:
                raise MemoryError
            while text < last and status == 0:
                with nogil:
                    read = 0
                    while text < last and status == 0 and read < STEP:
                        read += texts.at[text].length + 1
                        status = self.read(&work, n_blocks, texts.at[text])
                        if status == 0:
                            n_grams[text, 0] = work.columns[0].size
                            n_grams[text, 1] = work.n_grams
                            status = self.add_up(&work, n_blocks, frequencies, &logits[text, 0])
                        text += 1
                if status == NO_MEMORY:
                    raise MemoryError
                PyErr_CheckSignals()
            return status
        finally:
            free_scratch(&work.scratch)
            for ids in range(n_blocks):
                free(work.columns[ids].data)
            free(work.columns)
            free(work.words.data)
            free(work.characters.data)
            free(work.level.data)
            free(work.spare.data)

    cdef int read(self, Work* work, int n_blocks, Text text) noexcept nogil:
        """Find the columns of the n-grams of a text, in the order of their occurrence."""
        cdef size_t start = 0, stop
        cdef int b
        cdef size_t first_word
        work.words.size = 0
        work.n_grams = 0
        for b in range(n_blocks):
            work.columns[b].size = 0
        while start < text.length:
            stop = piece_end(text.start, start, text.length)
            if clean_piece(&work.scratch, self.vocabulary.settings, text.start + start, stop - start) < 0:
                return NO_MEMORY
            start = stop
            while read_tokens(&work.scratch, self.vocabulary.settings):
                first_word = work.words.size
                if find_all(&self.vocabulary.table, &work.scratch, &work.words) < 0:
                    return NO_MEMORY
                for b in range(n_blocks):
                    if not self.grams[b].of_words and self.read_characters(b, work, first_word) < 0:
                        return NO_MEMORY
        for b in range(n_blocks):
            if self.grams[b].of_words:
                if append_columns(self.grams[b], &work.words, &work.level, &work.columns[b]) < 0:
                    return NO_MEMORY
                if b == 0:
                    work.n_grams = n_starts(self.grams[b], work.words.size)
        return 0

    cdef int64_t add_up(
        self, Work* work, int n_blocks, const double[::1] frequencies, double* logits
    ) noexcept nogil:
        """Add up the logits of the columns found; return 0, or a count without a term frequency."""
        cdef int b
        cdef int64_t i, n, n_outputs = self.intercept.shape[0], output, largest
        cdef int32_t* columns
        cdef int32_t* counts
        cdef const float* scale
        cdef const float* coef
        cdef double length, value
        for output in range(n_outputs):
            logits[output] = 0.0
        for b in range(n_blocks):
            n = work.columns[b].size
            if n == 0:
                continue
            if reserve_ids(&work.spare, n) < 0:
                return NO_MEMORY
            columns = work.columns[b].data
            counts = work.spare.data
            sort_ids(columns, n, counts)
            n = count_equal(columns, n, counts, &largest)
            if largest >= frequencies.shape[0]:
                return largest
            scale = self.grams[b].scale
            coef = &self.coef[0, 0] + self.grams[b].first_column * n_outputs
            for i in range(n):
                prefetch(scale + columns[i])
                prefetch(coef + columns[i] * n_outputs)
            length = 0.0
            if self.unit:
                for i in range(n):
                    value = frequencies[counts[i]] * scale[columns[i]]
                    length += value * value
            length = sqrt(length) if length > 0.0 else 1.0
            for i in range(n):
                value = frequencies[counts[i]] * scale[columns[i]] / length
                for output in range(n_outputs):
                    logits[output] += value * coef[columns[i] * n_outputs + output]
        for output in range(n_outputs):
            logits[output] += self.intercept[output]
        return 0


cdef int64_t count_equal(int32_t* ids, int64_t n, int32_t* counts, int64_t* largest) noexcept nogil:
    """Leave each of some sorted ids once, with its count in ``counts``, and return their number."""
    cdef int64_t i, distinct = 0
    largest[0] = 0
    for i in range(n):
        if distinct and ids[distinct - 1] == ids[i]:
            counts[distinct - 1] += 1
        else:
            ids[distinct] = ids[i]
            counts[distinct] = 1
            distinct += 1
        largest[0] = max(largest[0], counts[distinct - 1])
    return distinct
