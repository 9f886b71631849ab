"""Replies as they are written for terminals, for programs, and as CSV and JSON."""
