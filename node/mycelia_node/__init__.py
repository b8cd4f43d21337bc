"""The reference node of Mycelia: daemon, store, transport, local API and command line."""
