"""How a replica takes the place of its primary, or goes to another."""
