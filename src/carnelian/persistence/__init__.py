"""Snapshots of the data set: RDB files and payloads, out and in."""
