"""Half an hour of mixed clients, faults and kills, and what the books say at the end."""
