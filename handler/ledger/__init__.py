"""The ledger: the state after the last committed run, and the transaction of a run."""
