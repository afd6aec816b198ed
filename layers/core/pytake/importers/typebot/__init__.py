"""Typebot's blocks as nodes of PyTake."""
