"""The array: elements by 64-bit indexes, most of which may be free.

``words`` are the elements, eight bytes each; ``array_slices`` hold those of neighbouring indexes;
``slice_index`` finds slices; ``array`` is the value, and ``array_walk`` goes through ranges of it.
"""
