"""Tests against real clouds that somebody has brought up; without one they are skipped, visibly."""
