"""Buffers that grow: bytes, code points and ids of the text at hand."""

from libc.stdint cimport int32_t, uint32_t
from libc.stdlib cimport free, realloc


cdef enum:
    NO_MEMORY = -1


cdef struct Bytes:
    unsigned char* data
    size_t size
    size_t capacity


cdef struct Points:
    uint32_t* data
    size_t size
    size_t capacity


cdef struct Ids:
    int32_t* data
    size_t size
    size_t capacity


cdef inline int reserve(void** data, size_t* capacity, size_t needed, size_t item) noexcept nogil:
    """Make room for ``needed`` items of ``item`` bytes each; return 0 or `NO_MEMORY`."""
    cdef size_t room = capacity[0]
    cdef void* moved
    if needed <= room:
        return 0
    room = room + room // 2 + 256
    if room < needed:
        room = needed
    if room > (<size_t>-1) // 2 // item:
        return NO_MEMORY
    moved = realloc(data[0], room * item)
    if moved == NULL:
        return NO_MEMORY
    data[0] = moved
    capacity[0] = room
    return 0


cdef inline int reserve_bytes(Bytes* bytes, size_t needed) noexcept nogil:
    return reserve(<void**>&bytes.data, &bytes.capacity, needed, 1)


cdef inline int reserve_points(Points* points, size_t needed) noexcept nogil:
    return reserve(<void**>&points.data, &points.capacity, needed, sizeof(uint32_t))


cdef inline int reserve_ids(Ids* ids, size_t needed) noexcept nogil:
    return reserve(<void**>&ids.data, &ids.capacity, needed, sizeof(int32_t))
