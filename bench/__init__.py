"""What README's figures come from: whole processes, side by side, as ratios and call counts."""
