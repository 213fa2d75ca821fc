import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Array = NDArray[np.float32]

def tanh(x: Array) -> None: ...
def recurrent_gradient(h: Array, again: Array | None, dz: Array, gradient: Array) -> None: ...
def lstm_forward(
    z: Array, rows: Ids, recurrent: Array, again: Array | None, a: Array, h: Array, c: Array, tanh_c: Array
) -> None: ...
def lstm_backward(
    rows: Ids, recurrent: Array, again: Array | None, a: Array, c: Array, tanh_c: Array, dy: Array, dz: Array | None
) -> None: ...
def gru_forward(
    z: Array, rows: Ids, recurrent: Array, bias: Array, again: Array | None, a: Array, h: Array, inner: Array
) -> None: ...
def gru_backward(
    rows: Ids,
    recurrent: Array,
    again: Array | None,
    a: Array,
    h: Array,
    inner: Array,
    dy: Array,
    dz: Array | None,
    dinner: Array,
) -> None: ...
