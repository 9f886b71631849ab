"""What all values share: counted memory and its slabs, buffers of strings, limits of compact forms,
and the interfaces that collections have (``value``), pour into (``sink``) and are told apart by
(``digest``).
"""
