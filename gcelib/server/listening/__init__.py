"""What the listener stands on: requests as they arrive, and the answers that no handler gives."""
