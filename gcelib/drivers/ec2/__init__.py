"""EC2, and the clouds that speak its query API."""
