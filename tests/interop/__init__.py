"""Clients of many languages, and frameworks with their workers, against a server of ours."""
