/* Sparse rows times the weights of several outputs, which lie side by side: 4, 8 or 16 for each column.

   Each output is added up by itself, entry after entry, so that it is the same to the last bit whatever other outputs
   are beside it and however wide the registers are. Weights of columns to come are requested early: most of the time
   goes into waiting for them. */
#include <stddef.h>
#include <stdint.h>

#include "prefetch.h"

#if defined(__GNUC__) || defined(__clang__)
#define TAGLINE_INLINE static inline __attribute__((always_inline))
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
#define ADD_PRODUCT(to, x, four) ((to) += (x) * (four))
#else
#define TAGLINE_INLINE static __forceinline
typedef struct { float at[4]; } Four;
#define ADD_PRODUCT(to, x, four) \
    for (int add_q = 0; add_q < 4; add_q++) (to).at[add_q] += (x) * (four).at[add_q]
#endif

enum { AHEAD = 32, LINE = 16 }; /* entries: how early weights are requested; of a cache line */

typedef struct {
    const float* values;
    const int32_t* columns;
    ptrdiff_t size;
} Row;

/* z[output] += row . weights, (n_columns, 4 * n_fours); `next` is the row whose product follows. */
TAGLINE_INLINE void add_products_of(const int n_fours, Row row, Row next, const float* weights, float* z) {
    const ptrdiff_t width = 4 * n_fours, here = row.size > AHEAD ? row.size - AHEAD : 0;
    Four sums[4];
    for (int f = 0; f < n_fours; f++) sums[f] = ((const Four*)z)[f];
    for (ptrdiff_t k = 0; k < row.size; k++) {
        const Four* w = (const Four*)(weights + row.columns[k] * width);
        const float x = row.values[k];
        if (k % LINE == 0) {
            TAGLINE_PREFETCH(next.values + k);
            TAGLINE_PREFETCH(next.columns + k);
        }
        if (k < here) {
            TAGLINE_PREFETCH(weights + row.columns[k + AHEAD] * width);
        } else if (k - here < next.size) {
            TAGLINE_PREFETCH(weights + next.columns[k - here] * width);
        }
        for (int f = 0; f < n_fours; f++) ADD_PRODUCT(sums[f], x, w[f]);
    }
    for (int f = 0; f < n_fours; f++) ((Four*)z)[f] = sums[f];
}

/* weights += row (outer product) steps, for each output. */
TAGLINE_INLINE void add_steps_of(const int n_fours, Row row, const float* steps, float* weights) {
    const ptrdiff_t width = 4 * n_fours;
    Four d[4];
    for (int f = 0; f < n_fours; f++) d[f] = ((const Four*)steps)[f];
    for (ptrdiff_t k = 0; k < row.size; k++) {
        Four* w = (Four*)(weights + row.columns[k] * width);
        const float x = row.values[k];
        for (int f = 0; f < n_fours; f++) ADD_PRODUCT(w[f], x, d[f]);
    }
}

/* The same for a single output: four sums, so that no addition waits for the one before it. */
static float product_of_one(Row row, Row next, const float* weights) {
    float a = 0, b = 0, c = 0, d = 0;
    ptrdiff_t k = 0;
    for (; k + LINE <= row.size; k += LINE) {
        TAGLINE_PREFETCH(next.values + k);
        TAGLINE_PREFETCH(next.columns + k);
        for (ptrdiff_t j = k; j < k + LINE; j += 4) {
            a += row.values[j] * weights[row.columns[j]];
            b += row.values[j + 1] * weights[row.columns[j + 1]];
            c += row.values[j + 2] * weights[row.columns[j + 2]];
            d += row.values[j + 3] * weights[row.columns[j + 3]];
        }
    }
    for (; k < row.size; k++) a += row.values[k] * weights[row.columns[k]];
    return (a + b) + (c + d);
}

static void add_products(int width, Row row, Row next, const float* weights, float* z) {
    switch (width) {
    case 1: z[0] += product_of_one(row, next, weights); break;
    case 4: add_products_of(1, row, next, weights, z); break;
    case 8: add_products_of(2, row, next, weights, z); break;
    default: add_products_of(4, row, next, weights, z);
    }
}

static void add_steps(int width, Row row, const float* steps, float* weights) {
    switch (width) {
    case 1:
        for (ptrdiff_t k = 0; k < row.size; k++) weights[row.columns[k]] += row.values[k] * steps[0];
        break;
    case 4: add_steps_of(1, row, steps, weights); break;
    case 8: add_steps_of(2, row, steps, weights); break;
    default: add_steps_of(4, row, steps, weights);
    }
}
