"""RDB files and payloads: records of single values, whole files out and in, and loading one into a
key space.
"""
