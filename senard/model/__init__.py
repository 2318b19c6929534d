"""Nouns of Sentinel mosaics: frozen dataclasses, enums and constants without I/O."""
