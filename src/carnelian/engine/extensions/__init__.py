"""What users add to an engine: modules of commands in Python, the commands that these call, and the
way of values between them and the engine.
"""
