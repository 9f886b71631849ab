"""The process that keeps a fleet running."""
