"""`python -m gcelib.config` prints docs/configuration.md."""

from gcelib.config.reference import reference

print(reference(), end="")
