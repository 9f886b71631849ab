"""Libraries that scripts have beside Lua's own: each a function that pushes its table."""
