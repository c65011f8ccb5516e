"""Tools of the repository that are part of neither the product nor the sandbox."""
