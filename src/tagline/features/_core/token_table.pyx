"""The hash table of tokens: inserting and finding the tokens of a piece of text."""

from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

import os

from tagline.features._core.arrow cimport Text, Texts
from tagline.features._core.buffers cimport NO_MEMORY, Ids, reserve, reserve_ids
from tagline.features._core.index cimport FREE, huge_pages, prefetch
from tagline.features._core.tokens cimport CLEAN_PADDING, MOST_TOKENS, Scratch, Token


cdef enum:
    FIRST_SLOTS = 1024

# Of all hashes of this process: no text can be made for its tokens to share slots. Ids do not depend on it.
cdef uint64_t seed = int.from_bytes(os.urandom(8), "little")

cdef uint64_t[9] prefix_masks
memset(prefix_masks, 0, sizeof(prefix_masks))
for _length in range(9):
    memset(&prefix_masks[<int>_length], 255, <int>_length)


cdef inline uint64_t padded_prefix(const unsigned char* token, size_t length) noexcept nogil:
    """Return the prefix of a token after which 8 bytes can be read."""
    cdef uint64_t prefix
    memcpy(&prefix, token, 8)
    return prefix & prefix_masks[length if length < 8 else 8]


cdef inline uint64_t hash_of(uint64_t prefix, const unsigned char* token, size_t length) noexcept nogil:
    cdef uint64_t hashed = (prefix ^ length ^ seed) * <uint64_t>0x9E3779B97F4A7C15, word
    cdef size_t at = 8
    hashed ^= hashed >> 32
    while at < length:
        memcpy(&word, token + (at if at + 8 <= length else length - 8), 8)
        hashed = (hashed ^ word) * <uint64_t>0xD6E8FEB86659FD93
        hashed ^= hashed >> 32
        at += 8
    hashed *= <uint64_t>0xD6E8FEB86659FD93
    return hashed ^ hashed >> 29


cdef inline uint32_t tag_of(uint64_t hashed, size_t length) noexcept nogil:
    return <uint32_t>(length if length < 255 else 255) << 24 | <uint32_t>(hashed >> 40)


cdef inline Slot* slot_of(
    Table* table, uint64_t prefix, uint64_t hashed, const unsigned char* token, size_t length
) noexcept nogil:
    """Return the slot of a token, or the free one where it belongs."""
    cdef size_t at = hashed & (table.n_slots - 1)
    cdef uint32_t tag = tag_of(hashed, length)
    cdef Slot* slot
    cdef int64_t start
    while True:
        slot = &table.slots[at]
        if slot.entry == FREE:
            return slot
        if slot.prefix == prefix and slot.tag == tag:
            if length <= 8:
                return slot
            start = table.ends[slot.entry]
            if table.ends[slot.entry + 1] - start == <int64_t>length and not memcmp(table.bytes + start, token, length):
                return slot
        at = (at + 1) & (table.n_slots - 1)


cdef int open_table(Table* table) noexcept nogil:
    if reserve(<void**>&table.ends, &table.end_capacity, 1, sizeof(int64_t)) < 0:
        return NO_MEMORY
    table.ends[0] = 0
    return resize(table, FIRST_SLOTS)


cdef void free_table(Table* table) noexcept nogil:
    free(table.slots)
    free(table.bytes)
    free(table.ends)


cdef int resize(Table* table, size_t n_slots) noexcept nogil:
    """Put all entries into a new table of slots."""
    cdef Slot* before = table.slots
    cdef size_t i, n_before = table.n_slots, length, at
    cdef uint64_t hashed
    if n_slots > (<size_t>-1) // sizeof(Slot):
        return NO_MEMORY
    table.slots = <Slot*>malloc(n_slots * sizeof(Slot))
    if table.slots == NULL:
        table.slots = before
        return NO_MEMORY
    huge_pages(table.slots, n_slots * sizeof(Slot))
    memset(table.slots, 255, n_slots * sizeof(Slot))
    table.n_slots = n_slots
    for i in range(n_before):
        if before[i].entry == FREE:
            continue
        length = table.ends[before[i].entry + 1] - table.ends[before[i].entry]
        at = hash_of(before[i].prefix, table.bytes + table.ends[before[i].entry], length) & (n_slots - 1)
        while table.slots[at].entry != FREE:
            at = (at + 1) & (n_slots - 1)
        table.slots[at] = before[i]
    free(before)
    return 0


cdef int append_entry(Table* table, const unsigned char* token, size_t length) noexcept nogil:
    cdef int64_t end = table.ends[table.n_entries]
    if (
        table.n_entries == INT32_MAX
        or reserve(<void**>&table.bytes, &table.byte_capacity, end + length + CLEAN_PADDING, 1) < 0
        or reserve(<void**>&table.ends, &table.end_capacity, table.n_entries + 2, sizeof(int64_t)) < 0
    ):
        return NO_MEMORY
    memcpy(table.bytes + end, token, length)
    table.n_entries += 1
    table.ends[table.n_entries] = end + length
    return 0


cdef inline int32_t insert(
    Table* table, uint64_t prefix, uint64_t hashed, const unsigned char* token, size_t length
) noexcept nogil:
    """Return the entry of a token, a new one if it has none."""
    cdef Slot* slot = slot_of(table, prefix, hashed, token, length)
    if slot.entry != FREE:
        return slot.entry
    if append_entry(table, token, length) < 0:
        return NO_MEMORY
    slot.prefix = prefix
    slot.tag = tag_of(hashed, length)
    slot.entry = table.n_entries - 1
    if 2 * <size_t>table.n_entries > table.n_slots and resize(table, 2 * table.n_slots) < 0:
        return NO_MEMORY
    return table.n_entries - 1


cdef int32_t insert_entry(Table* table, const Table* other, int32_t entry) noexcept nogil:
    """Return the entry of a token of another table, a new one if it has none."""
    cdef const unsigned char* token = other.bytes + other.ends[entry]
    cdef size_t length = other.ends[entry + 1] - other.ends[entry]
    cdef uint64_t prefix = padded_prefix(token, length)
    return insert(table, prefix, hash_of(prefix, token, length), token, length)


cdef int fill(Table* table, Texts tokens) except -1:
    """Add each token; one that is there already gets an entry that is never found."""
    cdef Py_ssize_t i
    cdef Text* text
    cdef uint64_t prefix, hashed
    cdef int32_t before, status = 0
    with nogil:
        for i in range(tokens.size):
            text = &tokens.at[i]
            prefix = 0
            memcpy(&prefix, text.start, text.length if text.length < 8 else 8)
            before = table.n_entries
            hashed = hash_of(prefix, text.start, text.length)
            status = insert(table, prefix, hashed, text.start, text.length)
            if status >= 0 and table.n_entries == before:
                status = append_entry(table, text.start, text.length)
            if status == NO_MEMORY:
                break
    if status == NO_MEMORY:
        raise MemoryError
    return 0


cdef int fill_stop_words(Table* table, stop_words) except -1:
    fill(table, Texts(list(dict.fromkeys(stop_words))))
    table.n_stop_words = table.n_entries
    return 0


# The tokens of a piece to ids.

cdef struct Key:
    uint64_t prefix
    uint64_t hashed


cdef inline void hash_all(Table* table, Scratch* scratch, Key* keys) noexcept nogil:
    """Hash the tokens and prefetch their slots."""
    cdef size_t i
    cdef const unsigned char* token
    for i in range(scratch.n_tokens):
        token = scratch.clean.data + scratch.tokens[i].start
        keys[i].prefix = padded_prefix(token, scratch.tokens[i].length)
        keys[i].hashed = hash_of(keys[i].prefix, token, scratch.tokens[i].length)
        prefetch(&table.slots[keys[i].hashed & (table.n_slots - 1)])


cdef int insert_all(Table* table, Scratch* scratch, Ids* ids) noexcept nogil:
    cdef size_t i
    cdef int32_t entry
    cdef const Token* tokens = scratch.tokens
    cdef Key[MOST_TOKENS] keys
    if reserve_ids(ids, ids.size + scratch.n_tokens) < 0:
        return NO_MEMORY
    hash_all(table, scratch, keys)
    for i in range(scratch.n_tokens):
        entry = insert(table, keys[i].prefix, keys[i].hashed, scratch.clean.data + tokens[i].start, tokens[i].length)
        if entry == NO_MEMORY:
            return NO_MEMORY
        if entry >= table.n_stop_words:
            ids.data[ids.size] = entry - table.n_stop_words
            ids.size += 1
    return 0


cdef int find_all(Table* table, Scratch* scratch, Ids* ids) noexcept nogil:
    cdef size_t i
    cdef int32_t entry
    cdef const Token* tokens = scratch.tokens
    cdef Key[MOST_TOKENS] keys
    cdef const unsigned char* clean = scratch.clean.data
    if reserve_ids(ids, ids.size + scratch.n_tokens) < 0:
        return NO_MEMORY
    hash_all(table, scratch, keys)
    for i in range(scratch.n_tokens):
        entry = slot_of(table, keys[i].prefix, keys[i].hashed, clean + tokens[i].start, tokens[i].length).entry
        if entry >= table.n_stop_words or entry == FREE:
            ids.data[ids.size] = FREE if entry == FREE else entry - table.n_stop_words
            ids.size += 1
    return 0


cdef bint is_stop_word(Table* table, const unsigned char* token, size_t length) noexcept nogil:
    """Return whether a token is a stop word."""
    cdef uint64_t prefix
    cdef int32_t entry
    if not table.n_stop_words:
        return False
    prefix = padded_prefix(token, length)
    entry = slot_of(table, prefix, hash_of(prefix, token, length), token, length).entry
    return entry != FREE and entry < table.n_stop_words
