"""What a fleet is to be: its state file, its directory, and the directives of its nodes."""
