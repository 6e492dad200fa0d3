"""What templates of the engine and of other apps may use."""
