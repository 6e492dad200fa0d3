"""Definition -> Plan: every check, and the graph in the form that the engine runs."""
