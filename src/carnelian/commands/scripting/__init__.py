"""Scripts and functions: running them, and managing those that there are."""
