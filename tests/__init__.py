"""gcelib's tests."""
