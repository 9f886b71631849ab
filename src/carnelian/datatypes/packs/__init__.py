"""Many elements in one run of bytes: listpacks, their slim form in memory, and intsets. ``packed``
is the face that they have for Python code.
"""
