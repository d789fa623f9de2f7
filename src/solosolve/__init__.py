"""Predict, while a consumer complaint is open, whether it will be resolved successfully."""

__version__ = "0.1.0"
