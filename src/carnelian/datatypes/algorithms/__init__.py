"""Algorithms on plain bytes and numbers, each by itself: patterns, hashes, compression, text of
numbers, positions on earth, estimates.
"""
