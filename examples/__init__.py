"""Workflows that are jobs of real teams; each one is run by the tests."""
