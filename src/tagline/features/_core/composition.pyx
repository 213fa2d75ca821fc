"""The normal form NFC (Unicode Standard Annex 15).

Most texts are in NFC: `composed_prefix` says how far without changing anything. Where they are not, a starter and the
characters that may combine with it are decomposed, sorted by combining class, and composed; then the next ones.
"""

from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from tagline.features._core.buffers cimport NO_MEMORY, Bytes, Points, reserve_bytes, reserve_points
from tagline.features._core.characters cimport decode, encode


cdef extern from "composition_tables.h" nogil:
    const size_t N_DECOMPOSED, N_COMPOSED
    const uint32_t decomposed[]
    const uint16_t part_ends[]
    const uint32_t parts[]
    const uint64_t pairs[]
    const uint32_t composed[]


# Hangul syllables are composed of leading consonants, vowels and trailing consonants by arithmetic.
cdef enum:
    SYLLABLE = 0xAC00
    LEADING = 0x1100
    VOWEL = 0x1161
    TRAILING = 0x11A7
    N_LEADING = 19
    N_VOWELS = 21
    N_TRAILING = 28
    N_SYLLABLES = N_LEADING * N_VOWELS * N_TRAILING

cdef enum:
    MOST_PARTS = 4  # of a character
    FEW_MARKS = 16  # that insertion sorts faster than counting


cdef void free_composer(Composer* composer) noexcept nogil:
    free(composer.points.data)
    free(composer.sorted.data)


cdef size_t composed_prefix(const unsigned char* text, size_t length) noexcept nogil:
    """Return how many bytes in front are in NFC and stay so whatever follows; all if the text is in NFC."""
    cdef size_t at = 0, starter = 0, width = 0
    cdef unsigned char last = 0, now
    while at < length:
        if text[at] < 0x80:
            starter = at
            last = 0
            at += 1
            continue
        now = combining_of(decode(text + at, length - at, &width))
        if now & UNSTABLE or (now and now < last):
            return starter
        if now == 0:
            starter = at
        last = now
        at += width
    return length


cdef int compose(Composer* composer, const unsigned char* text, size_t length, Bytes* to) noexcept nogil:
    """Append the NFC of a text to ``to``; return 0 or `NO_MEMORY`."""
    cdef size_t at = 0, stop, width = 0
    while at < length:
        stop = at + composed_prefix(text + at, length - at)
        if reserve_bytes(to, to.size + stop - at) < 0:
            return NO_MEMORY
        if stop > at:
            memcpy(to.data + to.size, text + at, stop - at)
            to.size += stop - at
            at = stop
        composer.points.size = 0
        while at < length:  # the character at hand, and those after it that may combine with it
            if at > stop and combining_of(decode(text + at, length - at, &width)) == 0:
                break
            if decompose(&composer.points, decode(text + at, length - at, &width)) < 0:
                return NO_MEMORY
            at += width
        if sort_marks(composer) < 0 or append_composed(&composer.points, to) < 0:
            return NO_MEMORY
    return 0


cdef int decompose(Points* points, uint32_t point) noexcept nogil:
    """Append the canonical decomposition of a character."""
    cdef size_t low = 0, high = N_DECOMPOSED, middle, part
    if reserve_points(points, points.size + MOST_PARTS) < 0:
        return NO_MEMORY
    if SYLLABLE <= point < SYLLABLE + N_SYLLABLES:
        point -= SYLLABLE
        push(points, LEADING + point // (N_VOWELS * N_TRAILING))
        push(points, VOWEL + point // N_TRAILING % N_VOWELS)
        if point % N_TRAILING:
            push(points, TRAILING + point % N_TRAILING)
        return 0
    while low < high:
        middle = (low + high) // 2
        if decomposed[middle] < point:
            low = middle + 1
        else:
            high = middle
    if low == N_DECOMPOSED or decomposed[low] != point:
        push(points, point)
        return 0
    for part in range(part_ends[low - 1] if low else 0, part_ends[low]):
        push(points, parts[part])
    return 0


cdef inline void push(Points* points, uint32_t point) noexcept nogil:
    points.data[points.size] = point
    points.size += 1


cdef int sort_marks(Composer* composer) noexcept nogil:
    """Sort each run of marks by combining class; marks of the same class keep their order."""
    cdef Points* points = &composer.points
    cdef size_t start = 0, stop
    while start < points.size:
        if combining_of(points.data[start]) & RANK == 0:
            start += 1
            continue
        stop = start + 1
        while stop < points.size and combining_of(points.data[stop]) & RANK:
            stop += 1
        if stop - start <= FEW_MARKS:
            insertion_sort(points.data + start, stop - start)
        elif counting_sort(points.data + start, stop - start, &composer.sorted) < 0:
            return NO_MEMORY
        start = stop
    return 0


cdef void insertion_sort(uint32_t* marks, size_t n) noexcept nogil:
    cdef size_t i, j
    cdef uint32_t mark
    for i in range(1, n):
        mark = marks[i]
        j = i
        while j and (combining_of(marks[j - 1]) & RANK) > (combining_of(mark) & RANK):
            marks[j] = marks[j - 1]
            j -= 1
        marks[j] = mark


cdef int counting_sort(uint32_t* marks, size_t n, Points* by_rank) noexcept nogil:
    cdef size_t[RANK + 2] starts
    cdef size_t i
    cdef int rank
    if reserve_points(by_rank, n) < 0:
        return NO_MEMORY
    memset(starts, 0, sizeof(starts))
    for i in range(n):
        starts[(combining_of(marks[i]) & RANK) + 1] += 1
    for rank in range(RANK):
        starts[rank + 1] += starts[rank]
    for i in range(n):
        rank = combining_of(marks[i]) & RANK
        by_rank.data[starts[rank]] = marks[i]
        starts[rank] += 1
    memcpy(marks, by_rank.data, n * sizeof(uint32_t))
    return 0


cdef int append_composed(Points* points, Bytes* to) noexcept nogil:
    """Compose each starter with what follows it, and append all as UTF-8."""
    cdef size_t i, kept = 0, starter = 0
    cdef uint32_t point, pair
    cdef unsigned char rank, last = 0
    cdef bint has_starter = False
    for i in range(points.size):
        point = points.data[i]
        rank = combining_of(point) & RANK
        # A character between that is not composed, of the same class or a starter, blocks the pair.
        if has_starter and (kept == starter + 1 or (last < rank and last != 0)):
            pair = composition(points.data[starter], point)
            if pair:
                points.data[starter] = pair
                continue
        points.data[kept] = point
        if rank == 0:
            starter = kept
            has_starter = True
        last = rank
        kept += 1
    if reserve_bytes(to, to.size + 4 * kept) < 0:
        return NO_MEMORY
    for i in range(kept):
        to.size += encode(points.data[i], to.data + to.size)
    return 0


cdef uint32_t composition(uint32_t first, uint32_t second) noexcept nogil:
    """Return the character that two compose to; 0 if there is none."""
    cdef uint64_t key = <uint64_t>first << 21 | second
    cdef size_t low = 0, high = N_COMPOSED, middle
    if LEADING <= first < LEADING + N_LEADING and VOWEL <= second < VOWEL + N_VOWELS:
        return SYLLABLE + ((first - LEADING) * N_VOWELS + second - VOWEL) * N_TRAILING
    if (
        SYLLABLE <= first < SYLLABLE + N_SYLLABLES
        and (first - SYLLABLE) % N_TRAILING == 0
        and TRAILING < second < TRAILING + N_TRAILING
    ):
        return first + second - TRAILING
    while low < high:
        middle = (low + high) // 2
        if pairs[middle] < key:
            low = middle + 1
        else:
            high = middle
    return composed[low] if low < N_COMPOSED and pairs[low] == key else 0
