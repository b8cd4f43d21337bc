"""The harness in virtual time: the unchanged engine, thousands of nodes, one process, one seed."""
