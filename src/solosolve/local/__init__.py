"""What a laptop uses in place of the platform."""
