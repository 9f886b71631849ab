"""How nodes meet, tell of each other, find out who has failed, and agree on who owns a slot."""
