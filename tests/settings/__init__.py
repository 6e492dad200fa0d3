"""The project's settings on private servers that the tests start and stop themselves."""
