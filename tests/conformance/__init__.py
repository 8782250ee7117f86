"""What every cloud must do that says it can: one suite, inherited by each provider."""
