"""A cloud whose libcloud driver does whatever a driver may do: it blocks, breaks, lies and answers nothing."""
