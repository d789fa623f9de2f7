def main(argv: list[str]) -> None:
    """Does the work of the task."""
