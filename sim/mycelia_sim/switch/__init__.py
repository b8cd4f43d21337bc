"""The switch backend: real daemons in network namespaces, joined by a user-space switch."""
