"""The dashboard: what is happening now, and what needs a person; it reads tables and needs no JVM."""
