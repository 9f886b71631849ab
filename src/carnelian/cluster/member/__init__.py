"""What the parts of a node share: its view, what is around it, and what it has promised."""
