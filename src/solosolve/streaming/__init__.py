"""Streaming queries: what each batch reads, scores and writes."""
