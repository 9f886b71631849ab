"""Talking to the server: where it is, how to log in, and what it replies."""
