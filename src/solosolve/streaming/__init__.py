"""Streaming queries: the sources, scoring and writing of each batch, and their checkpoints."""
