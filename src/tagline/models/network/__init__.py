"""Neural networks in NumPy: layers and their gradients."""
