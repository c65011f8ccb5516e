"""What is known after the last committed run, and how a run commits."""
