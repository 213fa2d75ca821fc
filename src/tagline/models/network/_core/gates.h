/* One step of one text through an LSTM or GRU, forward and backward: loops over H units for compilers to vectorize.

   x86-64 has these loops twice, for processors with and without AVX2; both round alike, because no product is fused
   with a sum and no sum is reordered. */

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define TAGLINE_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define TAGLINE_CLONES
#endif

#if defined(_MSC_VER)
#define TAGLINE_ALONE __restrict
#else
#define TAGLINE_ALONE __restrict__ /* what is written there is read nowhere else */
#endif

static inline float tagline_clamp(float x, float bound) { /* NaN stays */
    x = x > bound ? bound : x;
    return x < -bound ? -bound : x;
}

/* Within 4e-7 of tanh: x P(x^2) / Q(x^2), minimax on [0, 9]; beyond, float32 has 1. */
static inline float tagline_tanh(float x) {
    float s, p, q;
    x = tagline_clamp(x, 9.0f);
    s = x * x;
    p = ((1.32407746e-8f * s + 2.05326224e-5f) * s + 3.49120408e-3f) * s + 1.33774285e-1f;
    q = (((7.73161853e-7f * s + 3.27827737e-4f) * s + 2.58605901e-2f) * s + 4.67107489e-1f) * s + 1.0f;
    return tagline_clamp((x * s * p + x) / q, 1.0f);
}

static inline float tagline_sigmoid(float x) {
    return 0.5f * tagline_tanh(0.5f * x) + 0.5f;
}

TAGLINE_CLONES static void tagline_tanh_of(float *x, ptrdiff_t n) {
    ptrdiff_t j;
    for (j = 0; j < n; j++)
        x[j] = tagline_tanh(x[j]);
}

TAGLINE_CLONES static void tagline_add(const float *values, ptrdiff_t n, float *TAGLINE_ALONE sums) {
    ptrdiff_t j;
    for (j = 0; j < n; j++)
        sums[j] += values[j];
}

TAGLINE_CLONES static void tagline_add_product(
    const float *values, const float *factors, ptrdiff_t n, float *TAGLINE_ALONE sums) {
    ptrdiff_t j;
    for (j = 0; j < n; j++)
        sums[j] += values[j] * factors[j];
}

TAGLINE_CLONES static void tagline_multiply(
    const float *values, const float *factors, ptrdiff_t n, float *TAGLINE_ALONE products) {
    ptrdiff_t j;
    for (j = 0; j < n; j++)
        products[j] = values[j] * factors[j];
}

/* From z + sums, (4 H,), to the gates a = (i, f, g, o) and the next state. */
TAGLINE_CLONES static void tagline_lstm_step(
    const float *z, const float *sums, ptrdiff_t H, float *TAGLINE_ALONE a, const float *c,
    float *TAGLINE_ALONE c_next, float *TAGLINE_ALONE tanh_c, float *TAGLINE_ALONE h_next) {
    ptrdiff_t j;
    for (j = 0; j < 2 * H; j++)
        a[j] = tagline_sigmoid(z[j] + sums[j]);
    for (j = 2 * H; j < 3 * H; j++)
        a[j] = tagline_tanh(z[j] + sums[j]);
    for (j = 3 * H; j < 4 * H; j++)
        a[j] = tagline_sigmoid(z[j] + sums[j]);
    for (j = 0; j < H; j++) {
        c_next[j] = a[H + j] * c[j] + a[j] * a[2 * H + j];
        tanh_c[j] = tagline_tanh(c_next[j]);
        h_next[j] = a[3 * H + j] * tanh_c[j];
    }
}

/* From the gates to the gradients of their sums; dh is used up, dc becomes that of the state before. */
TAGLINE_CLONES static void tagline_lstm_step_back(
    float *TAGLINE_ALONE i, float *TAGLINE_ALONE f, float *TAGLINE_ALONE g, float *TAGLINE_ALONE o, const float *c,
    const float *tanh_c, ptrdiff_t H, float *TAGLINE_ALONE dh, float *TAGLINE_ALONE dc) {
    ptrdiff_t j;
    for (j = 0; j < H; j++) {
        float in = i[j], forget = f[j], cell = g[j], out = o[j];
        float d = dc[j] + dh[j] * out * (1.0f - tanh_c[j] * tanh_c[j]);
        o[j] = dh[j] * tanh_c[j] * (out * (1.0f - out));
        i[j] = d * cell * (in * (1.0f - in));
        g[j] = d * in * (1.0f - cell * cell);
        f[j] = d * c[j] * (forget * (1.0f - forget));
        dc[j] = d * forget;
        dh[j] = 0.0f;
    }
}

/* From z and sums, (3 H,), to the gates a = (z, r, g), the part of the sums inside g, and the next state. */
TAGLINE_CLONES static void tagline_gru_step(
    const float *z, const float *sums, const float *bias, ptrdiff_t H, float *TAGLINE_ALONE a,
    float *TAGLINE_ALONE inner, const float *h, float *TAGLINE_ALONE h_next) {
    ptrdiff_t j;
    for (j = 0; j < 2 * H; j++)
        a[j] = tagline_sigmoid(z[j] + (sums[j] + bias[j]));
    for (j = 0; j < H; j++) {
        float cell;
        inner[j] = sums[2 * H + j] + bias[2 * H + j];
        cell = tagline_tanh(z[2 * H + j] + a[H + j] * inner[j]);
        a[2 * H + j] = cell;
        h_next[j] = cell + a[j] * (h[j] - cell);
    }
}

/* From the gates to the gradients of z; d are those of sums, and dh becomes what goes to the state before at once. */
TAGLINE_CLONES static void tagline_gru_step_back(
    float *TAGLINE_ALONE z, float *TAGLINE_ALONE r, float *TAGLINE_ALONE g, const float *h, const float *inner,
    ptrdiff_t H, float *TAGLINE_ALONE dh, float *TAGLINE_ALONE d) {
    ptrdiff_t j;
    for (j = 0; j < H; j++) {
        float update = z[j], reset = r[j], cell = g[j];
        float dg = dh[j] * (1.0f - update) * (1.0f - cell * cell);
        z[j] = dh[j] * (h[j] - cell) * (update * (1.0f - update));
        r[j] = dg * inner[j] * (reset * (1.0f - reset));
        g[j] = dg;
        d[2 * H + j] = dg * reset;
        dh[j] *= update;
    }
    memcpy(d, z, H * sizeof(float));
    memcpy(d + H, r, H * sizeof(float));
}
