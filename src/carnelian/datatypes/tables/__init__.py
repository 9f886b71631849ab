"""Hash tables: of entries with values (``entry``, ``table``, ``walk``), and of texts alone
(``member_blocks``, ``members``).
"""
