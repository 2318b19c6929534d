"""Other programs on the same files: each in a process and an environment of its own, which senard is not part of.

Modules named by_… run in that environment, and import nothing of senard.
"""
