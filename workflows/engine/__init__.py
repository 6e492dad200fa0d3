"""The interpreter: claimed threads in, settlements and commands out."""
