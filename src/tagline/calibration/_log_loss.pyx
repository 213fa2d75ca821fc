"""The log loss of logits of one output, and its derivatives, in one pass; `margins.log_loss_sums` is the reference."""

from libc.math cimport exp, fabs, log

cdef double LARGE = 1e300


def log_loss_sums(
    const double[::1] z, const unsigned char[::1] y, const double[::1] w, double slope, double intercept, double true,
    double false,
):
    """Return the sums over some rows; the arrays are (n,) each.

    Rows of one weight share a logarithm: w ln(1 + exp(-|x|)) is summed as the logarithm of a product.
    """
    cdef Py_ssize_t i, n = z.shape[0]
    cdef double x, e, smaller, larger, target, error, curve
    cdef double weight = 0, product = 1, value = 0, by_slope = 0, by_intercept = 0, slopes = 0, mixed = 0, intercepts = 0
    if y.shape[0] != n or w.shape[0] != n:
        raise ValueError("the arrays of margins do not fit together")
    with nogil:
        for i in range(n):
            x = slope * z[i] + intercept
            e = exp(-fabs(x))
            larger = 1.0 / (1.0 + e)
            smaller = e * larger
            target = true if y[i] else false
            error = w[i] * ((smaller if x < 0 else larger) - target)
            curve = w[i] * (smaller * larger)
            by_slope += error * z[i]
            by_intercept += error
            slopes += curve * z[i] * z[i]
            mixed += curve * z[i]
            intercepts += curve
            value += w[i] * ((x if x > 0 else 0.0) - target * x)
            if w[i] != weight or product > LARGE:
                value += weight * log(product)
                weight = w[i]
                product = 1
            product *= 1 + e
        value += weight * log(product)
    return value, by_slope, by_intercept, slopes, mixed, intercepts
