"""Adversaries in virtual time: members with real keys who speak the real session and do wrong."""
