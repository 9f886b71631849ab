"""The stream: ids, nodes of entries, the tree of them (``by_id``), consumer groups, and what is
known of producers.
"""
