"""LSTM and GRU through time, for a block of texts: gates, their gradients, and the products of a step.

Shapes: ``B`` texts of a block, ``T`` steps, ``H`` units, ``G`` gates, and ``R`` rows of projected inputs. ``rows``,
(B, T), says which row each step reads, in reading order; -1: the step is masked and leaves the state as it was. ``again``
are the masks of recurrent dropout, (G, B, H), or None. Values of a text are contiguous, (B, T, G H).
"""

from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

import numpy as np

from tagline.models.network._core.blas cimport add_masked, are_masks, check, product

cdef extern from "gates.h":
    void tagline_tanh_of(float* x, Py_ssize_t n) noexcept nogil
    void tagline_add(const float* values, Py_ssize_t n, float* sums) noexcept nogil
    void tagline_add_product(const float* values, const float* factors, Py_ssize_t n, float* sums) noexcept nogil
    void tagline_multiply(const float* values, const float* factors, Py_ssize_t n, float* products) noexcept nogil
    void tagline_lstm_step(
        const float* z, const float* sums, Py_ssize_t H, float* a, const float* c, float* c_next, float* tanh_c,
        float* h_next,
    ) noexcept nogil
    void tagline_lstm_step_back(
        float* i, float* f, float* g, float* o, const float* c, const float* tanh_c, Py_ssize_t H, float* dh, float* dc
    ) noexcept nogil
    void tagline_gru_step(
        const float* z, const float* sums, const float* bias, Py_ssize_t H, float* a, float* inner, const float* h,
        float* h_next,
    ) noexcept nogil
    void tagline_gru_step_back(
        float* z, float* r, float* g, const float* h, const float* inner, Py_ssize_t H, float* dh, float* d
    ) noexcept nogil


def tanh(float[::1] x):
    """Replace ``x`` by its hyperbolic tangent, as the gates do; only tests call it."""
    if x.shape[0]:
        with nogil:
            tagline_tanh_of(&x[0], x.shape[0])


def recurrent_gradient(
    const float[:, :, ::1] h, const float[:, :, ::1] again, const float[:, :, ::1] dz, float[:, ::1] gradient,
):
    """Add the gradient of the recurrent kernel, (H, G H), from ``dz``, (B, T, G H), that of ``h U``.

    ``h`` are the states before the steps and the last one, (B, T + 1, H).
    """
    cdef Py_ssize_t B = dz.shape[0], T = dz.shape[1], GH = dz.shape[2], H = h.shape[2], b
    cdef float[:, ::1] own = np.empty((1 if again is None else H, GH), np.float32)
    check(h.shape[0] == B and h.shape[1] == T + 1 and gradient.shape[0] == H and gradient.shape[1] == GH)
    check(again is None or are_masks(again, B, H, GH))
    check(max(T, GH, H) < 2**31)  # BLAS counts in 32 bits
    with nogil:
        for b in range(B if T else 0):
            if again is None:
                product(b"T", b"N", H, GH, T, &h[b, 0, 0], H, &dz[b, 0, 0], GH, 1, &gradient[0, 0], GH)
            else:
                product(b"T", b"N", H, GH, T, &h[b, 0, 0], H, &dz[b, 0, 0], GH, 0, &own[0, 0], GH)
                add_masked(own, again, b, gradient)


def lstm_forward(
    const float[:, ::1] z, const int32_t[:, ::1] rows, const float[:, ::1] recurrent, const float[:, :, ::1] again,
    float[:, :, ::1] a, float[:, :, ::1] h, float[:, :, ::1] c, float[:, :, ::1] tanh_c,
):
    """Run an LSTM on projected inputs ``z``, (R, 4 H); ``again``, (4, B, H), are the masks of recurrent dropout.

    ``a`` becomes the gates i, f, g, o, (B, T, 4 H), ``h`` and ``c`` the states before the steps and the last one,
    (B, T + 1, H), ``tanh_c`` that of the states after the steps, (B, T, H). Without a backward pass, ``a`` and
    ``tanh_c`` may have one step and ``h`` and ``c`` two, which are used over and over.
    """
    cdef Py_ssize_t B = rows.shape[0], T = rows.shape[1], H = recurrent.shape[0], b, t, now, later, c_now, c_later, step
    cdef float[:, ::1] sums = np.empty((B, 4 * H), np.float32)
    cdef float[:, :, ::1] fed = np.zeros((0 if again is None else 4, B, H), np.float32)
    check_steps(z, rows, recurrent, again, a, h, 4)
    check(c.shape[0] == B and c.shape[1] >= 2 and c.shape[2] == H)
    check(tanh_c.shape[0] == B and tanh_c.shape[1] == a.shape[1] and tanh_c.shape[2] == H)
    with nogil:
        for b in range(B):
            memset(&h[b, 0, 0], 0, H * sizeof(float))
            memset(&c[b, 0, 0], 0, H * sizeof(float))
        for t in range(T if B else 0):
            now, later, step = t % h.shape[1], (t + 1) % h.shape[1], t % a.shape[1]
            c_now, c_later = t % c.shape[1], (t + 1) % c.shape[1]
            recur(&h[0, now, 0], h.shape[1] * H, fed, recurrent, sums)
            for b in range(B):
                if rows[b, t] < 0:
                    memcpy(&h[b, later, 0], &h[b, now, 0], H * sizeof(float))
                    memcpy(&c[b, c_later, 0], &c[b, c_now, 0], H * sizeof(float))
                else:
                    tagline_lstm_step(
                        &z[rows[b, t], 0], &sums[b, 0], H, &a[b, step, 0], &c[b, c_now, 0], &c[b, c_later, 0],
                        &tanh_c[b, step, 0], &h[b, later, 0],
                    )
                    feed(&h[b, later, 0], again, b, fed)


def lstm_backward(
    const int32_t[:, ::1] rows, const float[:, ::1] recurrent, const float[:, :, ::1] again, float[:, :, ::1] a,
    const float[:, :, ::1] c, const float[:, :, ::1] tanh_c, const float[:, :, ::1] dy, float[:, ::1] dz,
):
    """Turn the gates ``a`` into the gradients of their sums, and add these up by row in ``dz``, (R, 4 H), if given.

    ``dy``, (B, T, H), are the gradients of the states after the steps, or (B, 1, H) of the last one.
    """
    cdef Py_ssize_t B = rows.shape[0], T = rows.shape[1], H = recurrent.shape[0], b, t, j
    cdef float[:, ::1] dh = np.zeros((B, H), np.float32), dc = np.zeros((B, H), np.float32)
    cdef float[:, :, ::1] flow = np.empty((0 if again is None else 4, B, H), np.float32)
    check_back(rows, recurrent, again, a, dy, dz, 4)
    check(c.shape[0] == B and c.shape[1] == T + 1 and c.shape[2] == H)
    check(tanh_c.shape[0] == B and tanh_c.shape[1] == T and tanh_c.shape[2] == H)
    with nogil:
        for t in range(T - 1 if B else -1, -1, -1):
            for b in range(B):
                if dy.shape[1] > 1 or t == T - 1:
                    tagline_add(&dy[b, t if dy.shape[1] > 1 else 0, 0], H, &dh[b, 0])
                if rows[b, t] < 0:
                    memset(&a[b, t, 0], 0, 4 * H * sizeof(float))
                    continue
                tagline_lstm_step_back(
                    &a[b, t, 0], &a[b, t, H], &a[b, t, 2 * H], &a[b, t, 3 * H], &c[b, t, 0], &tanh_c[b, t, 0], H,
                    &dh[b, 0], &dc[b, 0],
                )
                if dz is not None:
                    tagline_add(&a[b, t, 0], 4 * H, &dz[rows[b, t], 0])
            recur_back(&a[0, t, 0], T * 4 * H, recurrent, again, flow, dh)


def gru_forward(
    const float[:, ::1] z, const int32_t[:, ::1] rows, const float[:, ::1] recurrent, const float[::1] bias,
    const float[:, :, ::1] again, float[:, :, ::1] a, float[:, :, ::1] h, float[:, :, ::1] inner,
):
    """Run a GRU on projected inputs ``z``, (R, 3 H); ``bias``, (3 H,), is that of ``h U``.

    ``a`` becomes the gates z, r, g, ``inner``, (B, T, H), the part of ``h U`` that r multiplies. See `lstm_forward`.
    """
    cdef Py_ssize_t B = rows.shape[0], T = rows.shape[1], H = recurrent.shape[0], b, t, now, later, step
    cdef float[:, ::1] sums = np.empty((B, 3 * H), np.float32)
    cdef float[:, :, ::1] fed = np.zeros((0 if again is None else 3, B, H), np.float32)
    check_steps(z, rows, recurrent, again, a, h, 3)
    check(bias.shape[0] == 3 * H and inner.shape[0] == B and inner.shape[1] == a.shape[1] and inner.shape[2] == H)
    with nogil:
        for b in range(B):
            memset(&h[b, 0, 0], 0, H * sizeof(float))
        for t in range(T if B else 0):
            now, later, step = t % h.shape[1], (t + 1) % h.shape[1], t % a.shape[1]
            recur(&h[0, now, 0], h.shape[1] * H, fed, recurrent, sums)
            for b in range(B):
                if rows[b, t] < 0:
                    memcpy(&h[b, later, 0], &h[b, now, 0], H * sizeof(float))
                else:
                    tagline_gru_step(
                        &z[rows[b, t], 0], &sums[b, 0], &bias[0], H, &a[b, step, 0], &inner[b, step, 0],
                        &h[b, now, 0], &h[b, later, 0],
                    )
                    feed(&h[b, later, 0], again, b, fed)


def gru_backward(
    const int32_t[:, ::1] rows, const float[:, ::1] recurrent, const float[:, :, ::1] again, float[:, :, ::1] a,
    const float[:, :, ::1] h, const float[:, :, ::1] inner, const float[:, :, ::1] dy, float[:, ::1] dz,
    float[:, :, ::1] dinner,
):
    """Turn the gates ``a`` into the gradients of ``x W + b``, and set ``dinner``, (B, T, 3 H), to those of ``h U + b'``.

    See `lstm_backward`.
    """
    cdef Py_ssize_t B = rows.shape[0], T = rows.shape[1], H = recurrent.shape[0], b, t
    cdef float[:, ::1] dh = np.zeros((B, H), np.float32)
    cdef float[:, :, ::1] flow = np.empty((0 if again is None else 3, B, H), np.float32)
    check_back(rows, recurrent, again, a, dy, dz, 3)
    check(h.shape[0] == B and h.shape[1] == T + 1 and h.shape[2] == H)
    check(inner.shape[0] == B and inner.shape[1] == T and inner.shape[2] == H)
    check(dinner.shape[0] == B and dinner.shape[1] == T and dinner.shape[2] == 3 * H)
    with nogil:
        for t in range(T - 1 if B else -1, -1, -1):
            for b in range(B):
                if dy.shape[1] > 1 or t == T - 1:
                    tagline_add(&dy[b, t if dy.shape[1] > 1 else 0, 0], H, &dh[b, 0])
                if rows[b, t] < 0:
                    memset(&a[b, t, 0], 0, 3 * H * sizeof(float))
                    memset(&dinner[b, t, 0], 0, 3 * H * sizeof(float))
                    continue
                tagline_gru_step_back(
                    &a[b, t, 0], &a[b, t, H], &a[b, t, 2 * H], &h[b, t, 0], &inner[b, t, 0], H, &dh[b, 0],
                    &dinner[b, t, 0],
                )
                if dz is not None:
                    tagline_add(&a[b, t, 0], 3 * H, &dz[rows[b, t], 0])
            recur_back(&dinner[0, t, 0], T * 3 * H, recurrent, again, flow, dh)


cdef void recur(
    const float* h, int h_row, const float[:, :, ::1] fed, const float[:, ::1] recurrent, float[:, ::1] sums
) noexcept nogil:
    """Set ``sums``, (B, G H), to ``h U``; with dropout each gate is fed a state of its own, (G, B, H)."""
    cdef int B = sums.shape[0], GH = sums.shape[1], H = recurrent.shape[0], g
    if fed.shape[0] == 0:
        product(b"N", b"N", B, GH, H, h, h_row, &recurrent[0, 0], GH, 0, &sums[0, 0], GH)
    for g in range(<int>fed.shape[0]):
        product(b"N", b"N", B, H, H, &fed[g, 0, 0], H, &recurrent[0, g * H], GH, 0, &sums[0, g * H], GH)


cdef void feed(const float* h, const float[:, :, ::1] again, Py_ssize_t b, float[:, :, ::1] fed) noexcept nogil:
    """Set what each gate is fed of the state of text b."""
    cdef Py_ssize_t g
    for g in range(fed.shape[0]):
        tagline_multiply(h, &again[g, b, 0], fed.shape[2], &fed[g, b, 0])


cdef void recur_back(
    const float* dz, int dz_row, const float[:, ::1] recurrent, const float[:, :, ::1] again, float[:, :, ::1] flow,
    float[:, ::1] dh,
) noexcept nogil:
    """Add to ``dh``, (B, H), what comes back through ``h U``; ``flow``, (G, B, H), is room for it."""
    cdef int B = dh.shape[0], H = dh.shape[1], GH = recurrent.shape[1], g
    if flow.shape[0] == 0:
        product(b"N", b"T", B, H, GH, dz, dz_row, &recurrent[0, 0], GH, 1, &dh[0, 0], H)
    for g in range(<int>flow.shape[0]):
        product(b"N", b"T", B, H, H, dz + g * H, dz_row, &recurrent[0, g * H], GH, 0, &flow[g, 0, 0], H)
        tagline_add_product(&flow[g, 0, 0], &again[g, 0, 0], B * H, &dh[0, 0])


cdef int check_steps(
    const float[:, ::1] z, const int32_t[:, ::1] rows, const float[:, ::1] recurrent, const float[:, :, ::1] again,
    const float[:, :, ::1] a, const float[:, :, ::1] h, Py_ssize_t G,
) except -1:
    cdef Py_ssize_t B = rows.shape[0], H = recurrent.shape[0]
    check(H > 0 and recurrent.shape[1] == z.shape[1] == a.shape[2] == G * H)
    check(a.shape[0] == h.shape[0] == B and a.shape[1] > 0 and h.shape[1] >= 2 and h.shape[2] == H)
    check(again is None or (again.shape[0] == G and are_masks(again, B, H, G * H)))
    check(max(B, G * H, h.shape[1] * H) < 2**31)  # BLAS counts in 32 bits
    return check_rows(rows, z.shape[0])


cdef int check_back(
    const int32_t[:, ::1] rows, const float[:, ::1] recurrent, const float[:, :, ::1] again, const float[:, :, ::1] a,
    const float[:, :, ::1] dy, const float[:, ::1] dz, Py_ssize_t G,
) except -1:
    cdef Py_ssize_t B = rows.shape[0], T = rows.shape[1], H = recurrent.shape[0]
    check(H > 0 and recurrent.shape[1] == a.shape[2] == G * H and a.shape[0] == B and a.shape[1] == T)
    check(dy.shape[0] == B and (dy.shape[1] == T or dy.shape[1] == 1) and dy.shape[2] == H)
    check(again is None or (again.shape[0] == G and are_masks(again, B, H, G * H)))
    check(dz is None or dz.shape[1] == G * H)
    check(max(B, G * H, T * G * H) < 2**31)  # BLAS counts in 32 bits
    return check_rows(rows, B * T if dz is None else dz.shape[0])


cdef int check_rows(const int32_t[:, ::1] rows, Py_ssize_t R) except -1:
    cdef Py_ssize_t b, t
    for b in range(rows.shape[0]):
        for t in range(rows.shape[1]):
            if rows[b, t] >= R:
                raise ValueError("the shapes of the arrays do not fit")
    return 0
