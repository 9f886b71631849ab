"""The debugger of EVAL's scripts, as redis-cli --ldb speaks to it.

``debugger`` and what it is made of know neither sockets nor Lua: words come in, lines go out.
``script_inspection`` looks into a script that stands still, ``debugging`` has one run.
"""
