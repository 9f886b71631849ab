"""How keys go that nobody deletes: their time is over, or that of their fields, or memory is short."""
