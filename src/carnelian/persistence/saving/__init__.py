"""Snapshots: when they are taken, whose the files are, and the commands about them."""
