"""Features, estimators and evaluation; no I/O."""
