"""Servers that are killed at random moments under load: what they promised to keep is there.

``python -m tests.durability --rounds 200`` runs many rounds and prints figures.
"""
