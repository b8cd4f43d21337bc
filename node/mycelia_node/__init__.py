"""Mycelia: node."""
