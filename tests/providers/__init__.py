"""Providers without a cloud of their own in the tests: over recorded answers, and by looking at their drivers."""
