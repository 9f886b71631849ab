"""What families of commands have in common: parsing operands and lifetimes, and the form of large
replies.
"""
