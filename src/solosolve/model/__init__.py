"""Features, training, scoring and evaluation; uses no session, table or registry."""
