"""The commands on arrays: elements by index, what is appended, and looks at ranges."""
