"""What may stand in a scenario, as data: read strictly, and written as a JSON Schema."""
