"""Mycelia: sim."""
