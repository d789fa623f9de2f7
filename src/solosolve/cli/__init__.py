"""The `solosolve` commands, and the command line of each task."""
