"""What nodes of kind `http`, `code` and `command` do outside of the engine; see decision 0010."""
