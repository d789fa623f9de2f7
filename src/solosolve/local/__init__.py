"""What a laptop has in place of the platform."""
