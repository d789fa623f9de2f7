"""The questions that the dashboard asks of the tables, and the answers."""
