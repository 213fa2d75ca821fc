"""Logits of a linear model of n-grams, text by text: no matrix, and the same bits alone and in a batch.

The sums run in the order of the columns, as those of the sparse product of `Vectorizer.transform` and the coefficients.
"""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memmove, memset

from tagline.features._core.arrow cimport Text, Texts
from tagline.features._core.block cimport Block, Grams, append_columns, append_word, n_grams_of
from tagline.features._core.buffers cimport NO_MEMORY, Ids, reserve_ids
from tagline.features._core.found cimport Found, count_columns, list_columns
from tagline.features._core.pieces cimport Place, next_text, next_tokens
from tagline.features._core.token_table cimport find_all, is_stop_word
from tagline.features._core.tokens cimport Scratch, free_scratch
from tagline.features._core.vocabulary cimport Vocabulary

from tagline.parallel import checkpoint

cdef enum:
    STEP = 1 << 20  # bytes of texts between two looks for Ctrl-C
    WORDS = 1 << 15  # the same for words to remember


# The columns of the n-grams of characters in each word of a vocabulary.
cdef struct WordColumns:
    int64_t* ends  # (n_words + 1,)
    Ids columns


# The memory of one thread; all zero at first.
cdef struct Work:
    Scratch scratch
    Ids words  # of a text, their symbols; of a long one those whose n-grams are not found yet
    int64_t n_words  # of a long text, those before
    Ids characters  # of a word, their symbols
    Ids level  # the n-grams of an order that start at each symbol
    Ids places  # of the symbols, sorted
    Found* found  # of a text, for each block
    Ids spare
    int64_t n_grams  # of the first block, known or not
    const WordColumns* of_words  # for each block; NULL if the n-grams of known words are not known


cdef void free_work(Work* work, int n_blocks) noexcept nogil:
    cdef int b
    free_scratch(&work.scratch)
    free(work.words.data)
    free(work.characters.data)
    free(work.level.data)
    free(work.places.data)
    free(work.spare.data)
    if work.found != NULL:
        for b in range(n_blocks):
            free(work.found[b].columns.data)
            free(work.found[b].counts)
    free(work.found)


cdef void free_word_columns(WordColumns* of_words, int n_blocks) noexcept nogil:
    cdef int b
    if of_words != NULL:
        for b in range(n_blocks):
            free(of_words[b].ends)
            free(of_words[b].columns.data)
    free(of_words)


@cython.final
cdef class Scorer:
    """A linear model of the n-grams of ``blocks``: ``weights``, (n_columns, 1 + n_outputs), and ``intercept``.

    The weights of a column are its scale and its coefficients; ``intercept`` is (n_outputs,). ``vocabulary`` has the
    settings of the tokenizer, and the symbols of n-grams of words.
    """

    cdef Vocabulary vocabulary
    cdef list blocks
    cdef int n_blocks
    cdef Grams* grams  # of each block, with its weights
    cdef WordColumns* of_words  # for each block; NULL before `remember_words`
    cdef size_t overlap  # words of which an n-gram may go on in the next step
    cdef bint unit
    cdef const float[:, ::1] weights
    cdef const double[::1] intercept

    def __cinit__(
        self, Vocabulary vocabulary not None, blocks, bint unit, const float[:, ::1] weights,
        const double[::1] intercept
    ):
        cdef int64_t n_columns = 0
        cdef Block block
        self.vocabulary = vocabulary
        self.blocks = list(blocks)
        self.n_blocks = len(self.blocks)
        self.unit = unit
        self.weights = weights
        self.intercept = intercept
        self.grams = <Grams*>calloc(self.n_blocks + 1, sizeof(Grams))
        if self.grams == NULL:
            raise MemoryError
        for i in range(self.n_blocks):
            block = self.blocks[i]
            if block is None:
                raise TypeError("a block is missing")
            self.grams[i] = block.grams
            self.grams[i].weights = &weights[0, 0] + n_columns * weights.shape[1] if weights.size else NULL
            self.grams[i].n_weights = weights.shape[1]
            n_columns += block.grams.n_columns
            if not block.grams.of_words:
                continue
            self.overlap = max(self.overlap, <size_t>block.grams.max_n - 1)
            if block.grams.n_symbols < vocabulary.table.n_entries - vocabulary.table.n_stop_words:
                raise ValueError("the vocabulary has more words than the n-grams have symbols")
        if weights.shape[0] != n_columns or weights.shape[1] != 1 + intercept.shape[0]:
            raise ValueError(f"there are weights for {weights.shape[0]:,} of {n_columns:,} n-grams")

    def __dealloc__(self):
        free(self.grams)
        free_word_columns(self.of_words, self.n_blocks)

    def remember_words(self):
        """Find the n-grams of characters in the words of the vocabulary once, for many texts; call it in one thread.

        Texts that are scored meanwhile do without.
        """
        cdef int b
        cdef int32_t word, stop, n_words = self.vocabulary.table.n_entries - self.vocabulary.table.n_stop_words
        cdef const int64_t* ends = self.vocabulary.table.ends + self.vocabulary.table.n_stop_words
        cdef WordColumns* of_words
        cdef Work work
        cdef int status = 0
        if self.of_words != NULL:
            return
        memset(&work, 0, sizeof(work))
        of_words = <WordColumns*>calloc(self.n_blocks + 1, sizeof(WordColumns))
        if of_words == NULL:
            raise MemoryError
        try:
            for b in range(self.n_blocks):
                if self.grams[b].of_words:
                    continue
                of_words[b].ends = <int64_t*>calloc(n_words + 1, sizeof(int64_t))
                if of_words[b].ends == NULL:
                    raise MemoryError
                word = 0
                while word < n_words:
                    stop = word + min(WORDS, n_words - word)
                    with nogil:
                        while word < stop and status == 0:
                            status = append_word(
                                &self.grams[b], self.vocabulary.table.bytes + ends[word], ends[word + 1] - ends[word],
                                &work.characters, &work.level, &of_words[b].columns
                            )
                            word += 1
                            of_words[b].ends[word] = of_words[b].columns.size
                    if status == NO_MEMORY:
                        raise MemoryError
                    PyErr_CheckSignals()
                    checkpoint()
            self.of_words, of_words = of_words, NULL
        finally:
            free_word_columns(of_words, self.n_blocks)
            free_work(&work, self.n_blocks)

    def score(
        self, Texts texts not None, Py_ssize_t first, Py_ssize_t last, const double[::1] frequencies,
        double[:, ::1] logits, int64_t[:, ::1] n_grams,
    ):
        """Write the logits of texts ``first`` to ``last``, last excluded, to their rows, (n_texts, n_outputs).

        ``frequencies`` is the term frequency of each count, (n_counts,). Return 0, or the number of an n-gram in a text
        if it is not among these counts; then the logits are not complete. ``n_grams``, (n_texts, 2), gets the number of
        n-grams of the first block that are known, and of all.
        """
        cdef int64_t status = 0
        cdef Work work
        cdef Place place
        if not 0 <= first <= last <= texts.size:
            raise IndexError("there are no such texts")
        if (
            min(logits.shape[0], n_grams.shape[0]) < last
            or logits.shape[1] != self.intercept.shape[0]
            or n_grams.shape[1] != 2
        ):
            raise ValueError("there is no room for the logits")
        memset(&work, 0, sizeof(work))
        memset(&place, 0, sizeof(place))
        place.text = first
        work.of_words = self.of_words
        try:
            work.found = <Found*>calloc(self.n_blocks + 1, sizeof(Found))
            if work.found == NULL:
                raise MemoryError
            while place.text < last:
                with nogil:
                    status = self.step(&work, texts.at, last, &place, frequencies, logits, n_grams)
                if status == NO_MEMORY:
                    raise MemoryError
                if status:
                    return status
                if place.text < last:
                    PyErr_CheckSignals()
                    checkpoint()
            return 0
        finally:
            free_work(&work, self.n_blocks)

    cdef int64_t step(
        self, Work* work, const Text* texts, Py_ssize_t last, Place* place, const double[::1] frequencies,
        double[:, ::1] logits, int64_t[:, ::1] n_grams,
    ) noexcept nogil:
        """Go on from ``place`` for about `STEP` bytes; return 0, or a count without a term frequency."""
        cdef size_t stop = place.read + STEP
        cdef int64_t status
        while place.text < last:
            status = self.read(work, texts, place, stop)
            if status == 1:
                return self.count(work)
            if status < 0:
                return status
            n_grams[place.text, 0] = work.found[0].columns.size + work.found[0].n_counted
            n_grams[place.text, 1] = work.n_grams
            status = self.add_up(work, frequencies, &logits[place.text, 0])
            if status:
                return status
            next_text(place)
            work.words.size = 0
            work.n_words = work.n_grams = 0
            if place.read >= stop:
                return 0
        return 0

    cdef int read(self, Work* work, const Text* texts, Place* place, size_t stop) noexcept nogil:
        """Find columns of the text at hand; return 1 after ``stop`` bytes of the texts, or 0 at its end."""
        cdef int b, status
        cdef size_t first_word, n_starts
        while True:
            status = next_tokens(&work.scratch, self.vocabulary.settings, texts, place)
            if status != 1:
                break
            first_word = work.words.size
            if find_all(&self.vocabulary.table, &work.scratch, &work.words) < 0:
                return NO_MEMORY
            for b in range(self.n_blocks):
                if not self.grams[b].of_words and self.read_characters(b, work, first_word) < 0:
                    return NO_MEMORY
            if place.read >= stop:
                break
        if status < 0:
            return status
        n_starts = work.words.size
        if status == 1:
            n_starts -= min(n_starts, self.overlap)
        for b in range(self.n_blocks):
            if self.grams[b].of_words:
                if append_columns(
                    &self.grams[b], &work.words, n_starts, &work.level, &work.places, &work.found[b].columns
                ) < 0:
                    return NO_MEMORY
                if b == 0 and status == 0:
                    work.n_grams = n_grams_of(&self.grams[b], work.n_words + work.words.size)
        if status == 1:
            work.n_words += n_starts
            work.words.size -= n_starts
            memmove(work.words.data, work.words.data + n_starts, work.words.size * sizeof(int32_t))
        return status

    cdef int read_characters(self, int b, Work* work, size_t first_word) noexcept nogil:
        """Append the columns of the n-grams of characters in the last tokens read, whose ids follow ``first_word``."""
        cdef size_t i, n, word = first_word
        cdef Ids* columns = &work.found[b].columns
        cdef const WordColumns* known = work.of_words + b
        cdef const unsigned char* token
        cdef int32_t id_
        for i in range(work.scratch.n_tokens):
            token = work.scratch.clean.data + work.scratch.tokens[i].start
            if is_stop_word(&self.vocabulary.table, token, work.scratch.tokens[i].length):
                continue
            id_ = work.words.data[word]
            word += 1
            if id_ >= 0 and work.of_words != NULL:
                n = known.ends[id_ + 1] - known.ends[id_]
                if reserve_ids(columns, columns.size + n) < 0:
                    return NO_MEMORY
                memcpy(columns.data + columns.size, known.columns.data + known.ends[id_], n * sizeof(int32_t))
                columns.size += n
                continue
            if append_word(
                &self.grams[b], token, work.scratch.tokens[i].length, &work.characters, &work.level, columns
            ) < 0:
                return NO_MEMORY
            if b == 0:  # there are no words, whose columns could be known
                work.n_grams += n_grams_of(&self.grams[b], work.characters.size)
        return 0

    cdef int count(self, Work* work) noexcept nogil:
        """Count the columns found of a long text, so that memory is bounded and sorting them takes no time."""
        cdef int b
        for b in range(self.n_blocks):
            if count_columns(&work.found[b], self.grams[b].n_columns) < 0:
                return NO_MEMORY
        return 0

    cdef int64_t add_up(self, Work* work, const double[::1] frequencies, double* logits) noexcept nogil:
        """Add up the logits of the columns found, and forget them; return 0, or a count without a term frequency."""
        cdef int b
        cdef int64_t i, n, n_outputs = self.intercept.shape[0], output, largest
        cdef Found* found
        cdef int32_t* columns
        cdef int32_t* counts
        cdef int64_t n_weights = 1 + n_outputs
        cdef const float* weights
        cdef const float* column
        cdef double length, value
        for output in range(n_outputs):
            logits[output] = 0.0
        for b in range(self.n_blocks):
            found = &work.found[b]
            n = list_columns(found, &work.spare, self.grams[b].n_columns, &largest)
            if n < 0:
                return NO_MEMORY
            if n == 0:
                continue
            columns = found.columns.data
            counts = work.spare.data
            found.columns.size = 0
            if largest >= frequencies.shape[0]:
                return largest
            weights = self.grams[b].weights
            length = 0.0
            if self.unit:
                for i in range(n):
                    value = frequencies[counts[i]] * weights[columns[i] * n_weights]
                    length += value * value
            length = sqrt(length) if length > 0.0 else 1.0
            for i in range(n):
                column = weights + columns[i] * n_weights
                value = frequencies[counts[i]] * column[0] / length
                for output in range(n_outputs):
                    logits[output] += value * column[1 + output]
        for output in range(n_outputs):
            logits[output] += self.intercept[output]
        return 0
