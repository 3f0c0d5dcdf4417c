"""Holds OpenCV's own dnn module to PyTorch's answers: python conformance.py"""

import sys
from pathlib import Path

import cv2

sys.path.append(str(Path(__file__).parents[1]))
import vectors


def load(model):
    """A function of image (batch, height, width, channels) and number (batch)."""

    def ask(image, number):
        # anew for each question: OpenCV 5.0 keeps something of the one before, and then misreads some pictures
        network = cv2.dnn.readNetFromONNX(model, cv2.dnn.ENGINE_NEW)
        network.setInput(image, "image")
        network.setInput(number, "number")
        return network.forward(vectors.OUTPUTS)

    return ask


vectors.main("OpenCV, Python", cv2.__version__, load)
