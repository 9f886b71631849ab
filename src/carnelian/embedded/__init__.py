"""The engine in somebody's own process: ``local_engine`` for programs, ``client`` and ``aio`` for
those of redis-py, a ``host`` that lets one thread at a time in.
"""
