"""What administrators ask of a node."""
