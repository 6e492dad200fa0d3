"""The checks of the compiler: every module here has one, `check(draft)`, and is found by itself."""
