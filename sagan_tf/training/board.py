"""What TensorBoard shows of a run."""

import io
import time

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.image import metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto


class Board:
    """Writes numbers and pictures as files of TensorBoard, without TensorFlow.

    Args:
        directory: str or path of the folder for its files.
    """

    def __init__(self, directory):
        self._writer = EventFileWriter(str(directory))

    def add_scalars(self, values, step):
        """Adds numbers, a dict of floats, of a step."""
        for name, value in values.items():
            self._add(scalar_pb(name, np.float32(value)), step)

    def add_image(self, name, picture, step):
        """Adds a `PIL.Image.Image` of a step."""
        file = io.BytesIO()
        picture.save(file, "PNG")
        size = [str(length).encode() for length in picture.size]
        tensor = make_tensor_proto([*size, file.getvalue()])
        kind = metadata.create_summary_metadata(None, None)
        self._add(Summary(value=[Summary.Value(tag=name, metadata=kind, tensor=tensor)]), step)

    def close(self):
        """Writes what is left, and ends."""
        self._writer.close()

    def _add(self, summary, step):
        # TensorBoard has Summary messages of its own, whose bytes are those of TensorFlow.
        summary = Summary.FromString(summary.SerializeToString())
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
