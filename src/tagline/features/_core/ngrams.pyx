"""n-grams over symbols, counted.

The symbols of all texts (or words) are one int32 array, (n_positions,), -1 for unknown ones; text ``t`` has positions
``ends[t]`` to ``ends[t + 1]``. An n-gram is its prefix, the n-gram one shorter that starts at the same position, and
its last symbol: ``key = prefix * n_symbols + last``. Each function works on a range of texts or buckets, so that
several threads can share the work; what a function writes does not depend on how it is divided.

`tagline.features.ngrams.native`, the only caller, checks ``ends`` and the lengths of the arrays; `count_prefixes` and
`count_texts` check prefixes, symbols and ids, for the other functions too.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from tagline.features._core.index cimport home, shift_of
from tagline.features._core.sorting cimport DIGIT, FEW, RADIX


cdef enum:
    MOST_KEYS = 1 << 30  # of a bucket: the number of a slot, of which there are twice as many, is an int32


cdef struct Occurrence:
    int64_t key
    int32_t position
    int32_t text  # while its bucket is counted its slot, later its rank among the keys kept of its bucket, or -1


cdef struct Slot:
    int64_t key  # -1: empty
    int32_t df
    int32_t text  # the last one that the key was found in; later the rank of the key, or -1


cdef struct Kept:
    uint64_t key
    uint32_t slot


def count_prefixes(
    const int32_t[::1] prefixes, const int32_t[::1] symbols, const int64_t[::1] ends, Py_ssize_t first, Py_ssize_t last,
    int order, int64_t n_symbols, int64_t[::1] counts,
):
    """Add to ``counts``, (n_prefixes,), how many n-grams of ``order`` start with each prefix in some texts."""
    cdef Py_ssize_t text
    cdef int64_t at, n_prefixes = counts.shape[0]
    cdef bint outside = False
    with nogil:
        for text in range(first, last):
            for at in range(ends[text], ends[text + 1] - order + 1):
                if prefixes[at] >= 0 and symbols[at + order - 1] >= 0:
                    if prefixes[at] >= n_prefixes or symbols[at + order - 1] >= n_symbols:
                        outside = True
                        continue
                    counts[prefixes[at]] += 1
    if outside:
        raise IndexError("there are no such prefixes or symbols")


def count_buckets(
    const int32_t[::1] prefixes, const int32_t[::1] symbols, const int64_t[::1] ends, Py_ssize_t first, Py_ssize_t last,
    int order, const int32_t[::1] bucket_of, int64_t[::1] counts,
):
    """Add to ``counts``, (n_buckets,), how many n-grams of ``order`` some texts have in each bucket of prefixes."""
    cdef Py_ssize_t text
    cdef int64_t at
    with nogil:
        for text in range(first, last):
            for at in range(ends[text], ends[text + 1] - order + 1):
                if prefixes[at] >= 0 and symbols[at + order - 1] >= 0:
                    counts[bucket_of[prefixes[at]]] += 1


def fill_buckets(
    const int32_t[::1] prefixes, const int32_t[::1] symbols, const int64_t[::1] ends, Py_ssize_t first, Py_ssize_t last,
    int order, int64_t n_symbols, const int32_t[::1] bucket_of, int32_t low, int32_t high, int64_t[::1] places,
    int64_t[:, ::1] occurrences,
):
    """Write the n-grams of some texts whose bucket is ``low`` … ``high - 1`` to the ``places``, (n_buckets,), of each.

    ``occurrences``, (n, 2), holds `Occurrence` records.
    """
    cdef Occurrence* written = <Occurrence*>&occurrences[0, 0]
    cdef Py_ssize_t text
    cdef int64_t at, place
    cdef int32_t prefix, bucket
    with nogil:
        for text in range(first, last):
            for at in range(ends[text], ends[text + 1] - order + 1):
                prefix = prefixes[at]
                if prefix < 0 or symbols[at + order - 1] < 0:
                    continue
                bucket = bucket_of[prefix]
                if bucket < low or bucket >= high:
                    continue
                place = places[bucket]
                places[bucket] = place + 1
                written[place].key = prefix * n_symbols + symbols[at + order - 1]
                written[place].position = <int32_t>at
                written[place].text = <int32_t>text


def count_keys(
    int64_t[:, ::1] occurrences, const int64_t[::1] starts, Py_ssize_t first, Py_ssize_t last, int32_t min_df,
    const int64_t[::1] most_keys, const int64_t[::1] places, int64_t[::1] keys, int64_t[::1] n_kept,
):
    """Find the keys of some buckets that occur in ``min_df`` texts or more.

    Bucket ``b`` has the occurrences ``starts[b]`` to ``starts[b + 1]``, texts ascending, and at most ``most_keys[b]``
    keys. The keys kept are written to ``keys`` from ``places[b]`` on, ascending, their number to ``n_kept[b]``, and the
    rank of its key to each occurrence, -1 if it is not kept.
    """
    cdef Occurrence* found = <Occurrence*>&occurrences[0, 0]
    cdef Occurrence* end
    cdef Occurrence* one
    cdef int64_t most = 0, most_kept = 0, n, capacity, mask, i, kept, low
    cdef int shift
    cdef uint64_t at
    cdef Py_ssize_t bucket
    cdef Slot* slots
    cdef Kept* ranked
    cdef Kept* spare
    for bucket in range(first, last):
        n = min(starts[bucket + 1] - starts[bucket], most_keys[bucket])
        most = max(most, n)
        most_kept = max(most_kept, min(n, (starts[bucket + 1] - starts[bucket]) // min_df))
    if most > MOST_KEYS:
        raise OverflowError(f"a bucket may have {most:,} n-grams, more than {<int64_t>MOST_KEYS:,}")
    slots = <Slot*>malloc((<size_t>1 << (64 - shift_of(most))) * sizeof(Slot))
    ranked = <Kept*>malloc((most_kept + 1) * sizeof(Kept))
    spare = <Kept*>malloc((most_kept + 1) * sizeof(Kept))
    if slots == NULL or ranked == NULL or spare == NULL:
        free(slots)
        free(ranked)
        free(spare)
        raise MemoryError
    with nogil:
        for bucket in range(first, last):
            one = found + starts[bucket]
            end = found + starts[bucket + 1]
            shift = shift_of(min(end - one, most_keys[bucket]))
            capacity = <int64_t>1 << (64 - shift)
            mask = capacity - 1
            for i in range(capacity):
                slots[i].key = -1
            while one < end:
                at = home(one.key, shift)
                while slots[at].key != one.key and slots[at].key != -1:
                    at = (at + 1) & mask
                if slots[at].key == -1:
                    slots[at].key = one.key
                    slots[at].df = 1
                    slots[at].text = one.text
                elif slots[at].text != one.text:
                    slots[at].df += 1
                    slots[at].text = one.text
                one.text = <int32_t>at
                one += 1
            kept = 0
            low = -1
            for i in range(capacity):
                if slots[i].key < 0:
                    continue
                slots[i].text = -1
                if slots[i].df >= min_df:
                    ranked[kept].key = <uint64_t>slots[i].key
                    ranked[kept].slot = <uint32_t>i
                    if low < 0 or slots[i].key < low:
                        low = slots[i].key
                    kept += 1
            _sort_kept(ranked, spare, kept, <uint64_t>low)
            for i in range(kept):
                keys[places[bucket] + i] = <int64_t>ranked[i].key
                slots[ranked[i].slot].text = <int32_t>i
            n_kept[bucket] = kept
            one = found + starts[bucket]
            while one < end:
                one.text = slots[one.text].text
                one += 1
        free(slots)
        free(ranked)
        free(spare)


cdef void _sort_kept(Kept* values, Kept* spare, int64_t n, uint64_t low) noexcept nogil:
    """Sort by key; no key is below ``low``."""
    cdef int64_t starts[RADIX]
    cdef uint64_t spread = 0
    cdef int64_t i, total, size
    cdef int bit
    cdef Kept* source = values
    cdef Kept* target = spare
    cdef Kept one
    cdef Kept* swap
    if n <= FEW:
        for i in range(1, n):
            one = values[i]
            size = i - 1
            while size >= 0 and values[size].key > one.key:
                values[size + 1] = values[size]
                size -= 1
            values[size + 1] = one
        return
    for i in range(n):
        spread |= values[i].key - low
    bit = 0
    while bit < 64 and spread >> bit:
        memset(starts, 0, sizeof(starts))
        for i in range(n):
            starts[((source[i].key - low) >> bit) & (RADIX - 1)] += 1
        total = 0
        for i in range(RADIX):
            size = starts[i]
            starts[i] = total
            total += size
        for i in range(n):
            size = ((source[i].key - low) >> bit) & (RADIX - 1)
            target[starts[size]] = source[i]
            starts[size] += 1
        swap = source
        source = target
        target = swap
        bit += DIGIT
    if source != values:
        for i in range(n):
            values[i] = source[i]


def number_keys(
    const int64_t[:, ::1] occurrences, const int64_t[::1] starts, Py_ssize_t first, Py_ssize_t last,
    const int64_t[::1] offsets, int32_t[::1] ids,
):
    """Write the number of its key to the position of each occurrence: its rank and the offset of its bucket."""
    cdef Occurrence* one
    cdef Occurrence* end
    cdef Py_ssize_t bucket
    with nogil:
        for bucket in range(first, last):
            one = <Occurrence*>&occurrences[0, 0] + starts[bucket]
            end = <Occurrence*>&occurrences[0, 0] + starts[bucket + 1]
            while one < end:
                if one.text >= 0:
                    ids[one.position] = <int32_t>(one.text + offsets[bucket])
                one += 1


def count_texts(
    const int32_t[::1] ids, const int64_t[::1] ends, Py_ssize_t first, Py_ssize_t last, int32_t[::1] last_text,
    int64_t[::1] df,
):
    """Add to ``df``, (n_ids,), in how many of some texts each id occurs; ids below 0 are left out.

    ``last_text``, (n_ids,), is the last text that has each id, -1 before the first.
    """
    cdef Py_ssize_t text
    cdef int64_t at
    cdef int32_t id_
    cdef bint outside = False
    with nogil:
        for text in range(first, last):
            for at in range(ends[text], ends[text + 1]):
                id_ = ids[at]
                if id_ >= df.shape[0]:
                    outside = True
                elif id_ >= 0 and last_text[id_] != text:
                    last_text[id_] = <int32_t>text
                    df[id_] += 1
    if outside:
        raise IndexError("there are no such ids")
