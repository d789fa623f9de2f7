"""Checks the bundle without a workspace: what a deployment, or the first run after it, would refuse."""
