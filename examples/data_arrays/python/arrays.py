"""The tools of the example `data_arrays`. Arrays arrive as numpy's once numpy has been imported."""

import array

try:
    import numpy
except ImportError:
    numpy = None


def kind(image):
    return f"{type(image).__module__}.{type(image).__name__}"


def brighten(image, factor):
    if numpy:
        return image * numpy.float32(factor)
    pixels = array.array("f", (pixel * factor for row in image.tolist() for pixel in row))
    return memoryview(pixels).cast("B").cast("f", image.shape)


def turn(signal):
    """Gives the array back; what it does with it costs nothing here, to show the way alone."""
    return signal
