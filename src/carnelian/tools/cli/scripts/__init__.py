"""``--eval``: Lua scripts from files, run at once or step by step."""
