"""Tasks that look at all keys of a database."""
