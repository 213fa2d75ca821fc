"""Neural networks in NumPy: layers with their gradients."""
