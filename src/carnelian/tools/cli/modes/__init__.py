"""Tasks that an option asks for instead of a command: a file each, in rooms by what they do."""
