"""What brings redis-py's clients to an engine: what they are made with, the shapes of replies that
its parsers give, and the short way past them.
"""
