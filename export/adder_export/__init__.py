"""Turns a checkpoint into one ONNX file that takes raw pixels, and proves that it answers as PyTorch does."""
