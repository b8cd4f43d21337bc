"""The record families, one file each, and their registry."""
