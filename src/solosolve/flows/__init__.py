"""The tasks: each module reads, transforms and writes in one `run`."""
