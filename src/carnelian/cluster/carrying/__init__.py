"""What carries moving slots: engines, connections, the background, files, and the commands."""
