"""What a command is: its grammar, its documentation, where its keys stand, and the registry in
which it is found.
"""
