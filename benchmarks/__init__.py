"""What the audit costs, measured against the straightforward way side by side in one run."""
