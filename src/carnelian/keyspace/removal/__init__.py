"""How keys go that nobody deletes: their time is over, that of their fields, or memory is short."""
