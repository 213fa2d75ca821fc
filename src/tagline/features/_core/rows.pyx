"""Rows of counts: assembled from the n-grams of each text, or from those of its words.

Each function works on a range of texts, so that several threads can share the work. `tagline.features.ngrams.native`,
the only caller, checks where texts and words end; `sort_texts` and `count_products` check ids, words and n-grams, for
`write_rows` and `write_products` too.
"""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from tagline.features._core.sorting cimport sort_ids


def sort_texts(
    int32_t[::1] ids, const int64_t[::1] ends, Py_ssize_t first, Py_ssize_t last, int64_t n_ids,
    int64_t[::1] n_known, int64_t[::1] n_distinct,
):
    """Sort the ids, below ``n_ids``, of each of some texts, known ones first.

    Their number is written to ``n_known``, (n_texts,), and that of distinct ones is added to ``n_distinct``.
    """
    cdef int64_t longest = 0, i, known, distinct
    cdef Py_ssize_t text
    cdef bint outside = False
    cdef int32_t* of_text
    cdef int32_t* spare
    for text in range(first, last):
        longest = max(longest, ends[text + 1] - ends[text])
    spare = <int32_t*>malloc((longest + 1) * sizeof(int32_t))
    if spare == NULL:
        raise MemoryError
    with nogil:
        for text in range(first, last):
            of_text = &ids[0] + ends[text]
            known = sort_ids(of_text, ends[text + 1] - ends[text], spare)
            outside = outside or (known > 0 and of_text[known - 1] >= n_ids)
            distinct = known > 0
            for i in range(1, known):
                distinct += of_text[i] != of_text[i - 1]
            n_known[text] = known
            n_distinct[text] += distinct
        free(spare)
    if outside:
        raise IndexError("there are no such ids")


def write_rows(
    const int32_t[::1] ids, const int64_t[::1] ends, Py_ssize_t first, Py_ssize_t last, const int64_t[::1] n_known,
    int32_t offset, int64_t[::1] places, int32_t[::1] indices, float[::1] counts,
):
    """Write the distinct ids of some texts, plus ``offset``, and their counts to the ``places``, (n_texts,), of each.

    The ids are those that `sort_texts` sorted; the places are moved on.
    """
    cdef Py_ssize_t text
    cdef int64_t i, start, end, place
    with nogil:
        for text in range(first, last):
            place = places[text]
            i = ends[text]
            end = i + n_known[text]
            while i < end:
                start = i
                i += 1
                while i < end and ids[i] == ids[start]:
                    i += 1
                indices[place] = ids[start] + offset
                counts[place] = <float>(i - start)
                place += 1
            places[text] = place


def count_products(
    const int64_t[::1] word_ends, const int32_t[::1] words, const int64_t[::1] ngram_ends, const int32_t[::1] ngrams,
    Py_ssize_t first, Py_ssize_t last, int64_t[::1] df, int64_t[::1] lengths,
):
    """Count the distinct n-grams in the words of each of some texts.

    Text ``t`` has the distinct ``words`` from ``word_ends[t]`` on, and word ``w`` the distinct ``ngrams`` from
    ``ngram_ends[w]`` on. Their number is written to ``lengths``, (n_texts,), and 1 is added to the ``df``, (n_ngrams,),
    of each for each text.
    """
    cdef Py_ssize_t text
    cdef int64_t at, j, n, n_words = ngram_ends.shape[0] - 1
    cdef int32_t ngram
    cdef bint outside = False
    cdef int32_t* last_text = <int32_t*>malloc((df.shape[0] + 1) * sizeof(int32_t))
    if last_text == NULL:
        raise MemoryError
    with nogil:
        memset(last_text, 0xFF, df.shape[0] * sizeof(int32_t))
        for text in range(first, last):
            n = 0
            for at in range(word_ends[text], word_ends[text + 1]):
                if not 0 <= words[at] < n_words:
                    outside = True
                    continue
                for j in range(ngram_ends[words[at]], ngram_ends[words[at] + 1]):
                    ngram = ngrams[j]
                    if not 0 <= ngram < df.shape[0]:
                        outside = True
                    elif last_text[ngram] != text:
                        last_text[ngram] = <int32_t>text
                        df[ngram] += 1
                        n += 1
            lengths[text] = n
        free(last_text)
    if outside:
        raise IndexError("there are no such words or n-grams")


def write_products(
    const int64_t[::1] word_ends, const int32_t[::1] words, const float[::1] word_counts, const int64_t[::1] ngram_ends,
    const int32_t[::1] ngrams, const float[::1] ngram_counts, Py_ssize_t first, Py_ssize_t last, Py_ssize_t n_ngrams,
    const int64_t[::1] ends, int32_t[::1] indices, float[::1] counts,
):
    """Write the n-grams of the words of each of some texts, ascending, and their counts, from ``ends[text]`` on.

    Counts are added in single precision, as by SciPy's product: they are exact up to 2²⁴.
    """
    cdef Py_ssize_t text
    cdef int64_t at, j, n, most = 0
    cdef int32_t ngram
    cdef float times
    cdef float* totals = <float*>calloc(n_ngrams + 1, sizeof(float))  # of the n-grams of a text
    cdef int32_t* spare
    for text in range(first, last):
        most = max(most, ends[text + 1] - ends[text])
    spare = <int32_t*>malloc((most + 1) * sizeof(int32_t))
    if totals == NULL or spare == NULL:
        free(totals)
        free(spare)
        raise MemoryError
    with nogil:
        for text in range(first, last):
            n = ends[text]
            for at in range(word_ends[text], word_ends[text + 1]):
                times = word_counts[at]
                for j in range(ngram_ends[words[at]], ngram_ends[words[at] + 1]):
                    ngram = ngrams[j]
                    if totals[ngram] == 0.0:
                        indices[n] = ngram
                        n += 1
                    totals[ngram] += times * ngram_counts[j]
            if n > ends[text]:
                sort_ids(&indices[0] + ends[text], n - ends[text], spare)
            for j in range(ends[text], n):
                counts[j] = totals[indices[j]]
                totals[indices[j]] = 0.0
        free(totals)
        free(spare)
