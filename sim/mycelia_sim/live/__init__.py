"""Live mode: real daemons on loopback behind proxies that can fail."""
