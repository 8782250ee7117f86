"""What strangers can try, and what must not come of it."""
