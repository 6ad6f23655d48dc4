"""The function that judges how far Sharpe ratios can be believed."""
