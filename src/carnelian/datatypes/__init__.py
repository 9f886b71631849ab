"""The values of Redis and what they are made of: bytes and memory, no commands and no sessions.

From the ground up: ``algorithms`` needs nothing; ``base`` is the memory and what all values share;
``tables`` and ``packs`` are the two ways to keep many things, scattered and in one run of bytes;
``patterns`` has regular expressions; ``collections``, ``streams`` and ``arrays`` are the values
that commands see.
"""
