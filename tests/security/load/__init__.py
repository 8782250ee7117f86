"""Clients that hold on and say nothing, in numbers."""
