"""What the tests share: servers, workers, builders, assertions."""
