"""Measures Mycelia beside what people would pick instead; `cli.py` is the way in."""
