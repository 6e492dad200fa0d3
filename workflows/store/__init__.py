"""The only writer: one module an aggregate. A caller's service owns the transaction."""
