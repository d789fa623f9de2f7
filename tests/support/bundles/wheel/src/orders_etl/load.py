def main() -> None:
    """Loads orders."""
