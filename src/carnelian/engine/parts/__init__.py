"""The parts of an engine, a feature each. A part is made with the core and the parts that it uses,
and never names the engine.
"""
