"""The JSON object that a thread carries: its values, its paths, and how branches merge."""
