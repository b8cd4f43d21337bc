"""The local HTTP API on the node's Unix socket."""
