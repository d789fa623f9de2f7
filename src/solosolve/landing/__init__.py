"""Turns bytes into records: files, CSV, messages and requests, and the rules for their text."""
