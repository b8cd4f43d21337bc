"""Mycelia: protocol."""
