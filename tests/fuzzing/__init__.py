"""Random scripts and random rules of users: none may break anything."""
