"""Bits, numbers, counters and threads: what everything else in the engine may import, and what
imports nothing of it.
"""
