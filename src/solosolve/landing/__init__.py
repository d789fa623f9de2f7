"""Bytes to records: files, CSV, messages and requests."""
