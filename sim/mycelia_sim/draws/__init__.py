"""The draws that turn a scenario into a plan, each from a stream of its own."""
