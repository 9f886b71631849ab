"""RDB files and payloads: records of single values, whole files out and in, loading one into a key
space. And a data set as the commands that make it again, where a file is to be one of those.
"""
