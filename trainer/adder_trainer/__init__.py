"""Trains the two approaches to the sum in PyTorch, and holds the normaliser that every picture passes through."""
