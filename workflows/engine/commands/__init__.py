"""One file for each thing that can happen; each is called inside one transaction."""
