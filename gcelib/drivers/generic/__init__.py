"""Any of libcloud's compute providers, by introspection of its driver: what the base API reaches."""
