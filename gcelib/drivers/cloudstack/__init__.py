"""CloudStack, the first-class cloud: its API through libcloud's signed connection, one file per facet."""
