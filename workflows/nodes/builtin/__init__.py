"""One file a kind; `registry` finds them."""
