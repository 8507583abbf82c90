"""The folder of a training run."""

import json
import pathlib

from sagan_tf.training.sample_writer import class_grid
from sagan_tf.visualization import attention_overlay, read_metrics, training_curves


def open_run(directory, config):
    """Creates the folder of a run and writes its resolved configuration.

    Args:
        directory: Folder of the run. It may exist, and hold a run of the same configuration, which
            starts anew.
        config: The run's `Config`.

    Returns:
        The folder as a `pathlib.Path`.

    Raises:
        ValueError: if the folder holds a run of another configuration; the message shows where
            they differ.
    """
    directory = pathlib.Path(directory)
    path = directory / "config.json"
    wanted = json.loads(json.dumps(config.to_dict()))
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is not valid JSON: {error}") from error
        difference = [
            f"{key}={found.get(part, {}).get(key)} there, {value} here"
            for part in ("model", "training")
            for key, value in wanted[part].items()
            if found.get(part, {}).get(key) != value
        ]
        if difference:
            raise ValueError(
                f"{directory} holds a run of another configuration ({'; '.join(difference)}): "
                "choose another --model_dir"
            )
        (directory / "metrics.jsonl").unlink(missing_ok=True)
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
    return directory


def write_results(sagan, directory):
    """Writes what a run leaves behind.

    Args:
        sagan: The trained `SAGAN`.
        directory: The run's folder, with its `metrics.jsonl`.

    Returns:
        Dict from what it is to its path: preset, samples, attention (if the generator attends)
        and curves.
    """
    directory = pathlib.Path(directory)
    paths = {"preset": directory / "preset"}
    sagan.save_preset(paths["preset"])
    pictures = {"samples": class_grid(sagan)}
    if sagan.generator.gates:
        pictures["attention"] = attention_picture(sagan)
    pictures["curves"] = training_curves(read_metrics(directory / "metrics.jsonl"))
    for name, picture in pictures.items():
        paths[name] = directory / f"{name}.png"
        picture.save(paths[name])
    return paths


def attention_picture(sagan, labels=None, num_images=5, seed=0, **options):
    """Samples with what some of their pixels attended to, at the highest resolution of attention.

    Args:
        sagan: A `SAGAN` whose generator attends.
        labels: As in `SAGAN.generate`; `None` takes the first classes in turn.
        num_images: int. Defaults to `5`.
        seed: int. Defaults to `0`.
        **options: `truncation` and `use_ema` of `SAGAN.generate`.

    Returns:
        A `PIL.Image`.

    Raises:
        ValueError: if the generator has no attention.
    """
    names = list(sagan.generator.gates)
    if not names:
        raise ValueError("This model has no attention to show: attention_resolutions is empty")
    num_classes = sagan.generator.num_classes
    if labels is None and num_classes is not None:
        labels = range(min(num_classes, num_images))
    images, maps = sagan.generate(
        None if labels is None else list(labels),
        num_images,
        seed=seed,
        return_attention=True,
        **options,
    )
    return attention_overlay(images, maps[names[-1]])
