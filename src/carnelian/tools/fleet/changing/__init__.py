"""Changing a cluster: joining nodes, moving slots between them, taking nodes out."""
