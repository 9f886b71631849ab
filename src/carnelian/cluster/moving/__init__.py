"""Atomic slot migration: slots change hands as a whole, by a snapshot and what follows it."""
