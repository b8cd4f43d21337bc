"""What this machine can do: a list of probes for each backend, all of which do what a run does."""
