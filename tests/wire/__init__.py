"""What goes over the wire, checked against GCE's own document and what its clients need."""
