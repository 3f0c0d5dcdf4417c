"""Raw pixels of any size, light and polarity in, an MNIST-like picture out; part of the exported graph."""

from adder_trainer.normalize.normalizer import NORMALIZER_VERSION, Normalized, Normalizer

__all__ = ["NORMALIZER_VERSION", "Normalized", "Normalizer"]
