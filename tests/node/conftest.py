"""Fixtures of the node's tests: homes, stores, daemons; everything started is ended."""
