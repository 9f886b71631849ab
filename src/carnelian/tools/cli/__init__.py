"""``carnelian-cli``: commands for a server or a file, from the command line, pipes, or a prompt.

``wire`` carries requests and replies, over sockets or to an engine in the same process. ``forms``
writes replies as redis-cli does. ``talking`` says commands and shows what comes back, ``modes`` are
the tasks that are chosen by an option, such as ``--bigkeys``, ``prompt`` is the conversation with a
person, and ``scripts`` is ``--eval``.
"""
