"""Adversaries: members with real keys who speak the real session and do wrong.

Here is what they do, on every backend alike, and nothing of the world in which they do it: that
stands behind `scene.Carrier`. Nothing here reads a clock, draws but from the plan's streams, or
touches a network.
"""
