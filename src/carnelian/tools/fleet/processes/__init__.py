"""Processes of nodes: started, found again, ended; ports, and the signals that ask for an end."""
