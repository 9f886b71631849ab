"""Connections to what is watched: commands out, replies and messages in."""
