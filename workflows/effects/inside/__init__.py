"""What runs in processes of its own: only the standard library, nothing of the project."""
