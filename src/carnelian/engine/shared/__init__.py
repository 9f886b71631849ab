"""What the parts of an engine have in common: its clients, what they have begun, the core that all
are made with, the effects of writes, and the sections of INFO.
"""
