"""The only code that touches the outside: Spark sessions, tables, files, the registry."""
