"""Scripts in Lua: the interpreter, what scripts see of it, EVAL's scripts, libraries of functions.

``lua`` finds Lua and has its functions; ``sandbox`` makes the globals and ``libraries`` what stands
among them; ``api`` is what ``redis`` offers; ``lua_runtime`` runs scripts.
"""
