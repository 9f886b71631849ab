"""An embedded engine for clients outside of its process: where it listens, and who has come."""
