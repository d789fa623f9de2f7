"""Spark session, Delta tables, checkpoints, feedback and model registry."""
