"""Regular expressions over bytes: ``regex_syntax`` makes programs of them, and ``regex`` runs those
in a time that no expression and no text can blow up.
"""
