r"""What LiteRT makes of the digits at each precision: size, likeness and speed.

  python -m benchmarks.lite --output=lite.json

FIDs are by the features of the digits' classifier; the images to compare with are the model's own,
of the same latents, and the real ones, of which there are as many.
"""

import pathlib
import tempfile
import time

import numpy as np
from absl import app, flags

from benchmarks import report

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "JSON file to write.")


def main(_):
    from sagan_tf import SAGAN, data, evaluation
    from sagan_tf.export import export_lite
    from sagan_tf.export.lite import PRECISIONS
    from sagan_tf.models.sampling import draw_inputs, run_generator

    sagan = SAGAN.from_preset("sagan_digits_16")
    source = data.find_dataset("digits")
    shape = {"image_size": 16, "channels": 1}
    classifier = evaluation.Classifier.trained_on(source, **shape)
    loaded = data.load(source, batch_size=len(source), shuffle=False, repeat=False, **shape)
    real, _ = next(loaded.as_numpy_iterator())
    latents, labels = draw_inputs(sagan.generator, len(real), seed=0)
    expected = run_generator(sagan.ema_generator, latents, labels)

    def moments_of(images):
        return evaluation.statistics_of(images, classifier).moments

    of_real, of_model = moments_of(real), moments_of(expected)
    rows = {}
    with tempfile.TemporaryDirectory() as directory:
        for precision in PRECISIONS:
            path = export_lite(sagan, pathlib.Path(directory) / f"{precision}.tflite", precision)
            run = _runner(path)
            images = run(latents, labels)
            of_images = moments_of(images)
            rows[precision] = {
                "bytes": path.stat().st_size,
                "largest_difference": float(np.abs(images - expected).max()),
                "fid_to_model": evaluation.frechet_distance(of_model, of_images),
                "fid_to_real": evaluation.frechet_distance(of_real, of_images),
                "milliseconds": _milliseconds(lambda run=run: run(latents[:1], labels[:1])),
            }
    columns = {
        "bytes": "bytes",
        "largest difference": "largest_difference",
        "FID to the model's": "fid_to_model",
        "FID to real": "fid_to_real",
        "ms, one image": "milliseconds",
    }
    report.show(rows, columns)
    report.write(FLAGS.output, rows)


def _runner(path):
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(str(path), num_threads=2).get_signature_runner("serving_default")
    return lambda latents, labels: run(latents=latents, labels=labels)["images"]


def _milliseconds(call, repeats=200):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


if __name__ == "__main__":
    app.run(main)
