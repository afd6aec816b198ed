"""The nodes of the canvas of earlier PyTake versions."""
