"""The loop and what talks through it, and protocols that do not. It knows no engine."""
