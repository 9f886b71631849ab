"""Tasks that an option asks for instead of a command: a file each."""
