"""EC2 answers to the model."""
