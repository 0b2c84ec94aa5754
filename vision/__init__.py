"""Pixels: reading pictures and clips, letterboxing, model runtimes, decoding heads, drawing boxes."""
