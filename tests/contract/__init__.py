"""Tests of what packages, documents and resources must agree on."""
