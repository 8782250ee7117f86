"""The console as the people meet it who run gcelib."""
