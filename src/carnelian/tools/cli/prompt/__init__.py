"""The conversation with a person: lines in, replies out, with all that helps.

``dialogue`` knows what lines mean; where they come from is a :class:`Reader`: standard input, a
plain prompt, or the one of prompt_toolkit with completion, hints and colours.
"""
