"""What `gcelib doctor` looks at: one small function for each symptom, which yields what it found."""
