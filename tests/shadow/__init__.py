"""The compiled half as a type checker can read it: see :mod:`tests.shadow.__main__`."""
