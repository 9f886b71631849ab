"""What people see: the table of nodes, its place on a terminal, and how far slots have moved."""
