/* Eight bytes at a time. */
#include <stdint.h>
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

#define EACH UINT64_C(0x0101010101010101)
#define HIGH (0x80 * EACH)

/* Which of 8 bytes comes first in memory whose highest bit is set; there is one. */
static inline int first_high(uint64_t bytes) {
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long bit;
    _BitScanForward64(&bit, bytes & HIGH);
    return bit >> 3;
#elif defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_clzll(bytes & HIGH) >> 3;
#else
    return __builtin_ctzll(bytes & HIGH) >> 3;
#endif
}
