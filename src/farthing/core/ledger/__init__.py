"""The ledger: balanced double entries in a chart of accounts with accounting periods. Posting rules live here alone."""
