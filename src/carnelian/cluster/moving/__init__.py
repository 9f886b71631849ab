"""Atomic slot migration: slots move to another node as a whole, by a snapshot and what follows it."""
