"""What a reader sees of a comparison: one HTML page and the same tables as CSV, from the ledger alone."""
