"""The programs that are installed: the server, and the checks of files."""
