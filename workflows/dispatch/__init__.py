"""Rows -> workers: messages that may be lost, doubled, late or reordered."""
