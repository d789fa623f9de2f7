"""One read, transform, write a task."""
