"""Kinds of node: pure functions from (config, context, ports) to an outcome."""
