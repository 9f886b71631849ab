"""The append-only file: what is appended, of which files it consists, how it is written anew and
run again.
"""
