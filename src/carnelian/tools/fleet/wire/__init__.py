"""Talking to nodes: commands and replies, and what nodes say of the cluster and of themselves."""
