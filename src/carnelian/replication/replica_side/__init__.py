"""The replica's end: the dialogue with the primary, its snapshot, and its stream of commands."""
