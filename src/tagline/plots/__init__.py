"""Plots: arrays in, matplotlib figures out."""
