"""What scripts see of Lua itself, without the parts that would lead out."""
