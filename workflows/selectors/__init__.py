"""The reads: what surfaces show."""
