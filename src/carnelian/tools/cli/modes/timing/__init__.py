"""Tasks that measure: the server, the way to it, the machine."""
