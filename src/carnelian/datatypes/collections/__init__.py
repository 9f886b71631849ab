"""Strings excepted, the values that have a room in common: lists (``nodes``, ``quicklist``),
hashes, sets, sorted sets (``by_score``, ``scored_pack``, ``nearby``).
"""
