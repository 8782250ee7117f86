"""A cloud nobody told gcelib of: a libcloud driver of its own, over HTTP."""
