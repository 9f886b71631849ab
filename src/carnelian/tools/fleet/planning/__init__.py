"""Decisions without I/O: which slots and replicas go where, and when a node is started again."""
