"""What an author writes: the document, its fields, and how it is read."""
