"""The compiled part of recurrent layers: products of matrices, inputs, and steps through time."""
