"""Tests by real clients against a real gcelib process over the simulated cloud."""
