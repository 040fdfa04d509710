"""Settlement: credits and balances that pay for a bill; outside of the rule that makes it."""
