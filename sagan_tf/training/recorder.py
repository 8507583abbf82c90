"""What a run leaves behind while it goes on."""

import json
import math
import pathlib

from absl import logging

from sagan_tf.config import RunOptions
from sagan_tf.files import read_json_lines, replacing, write_picture
from sagan_tf.settings import unknown_name
from sagan_tf.training.board import Board
from sagan_tf.training.clock import Clock
from sagan_tf.training.periodic import Periodic
from sagan_tf.training.strategy import draws, is_chief
from sagan_tf.training.watchdog import Watchdog
from sagan_tf.visualization import class_grid


class Recorder(Periodic):
    """Watches, scores, logs, draws and saves, in this order, each at its steps; and ends a run.

    - It watches as `Watchdog` does, and stops before anything of NaN is recorded.
    - It scores the averaged generator, whose batch-norm statistics are recalibrated before
      (`SAGAN.recalibrate`), also when training ends: what is scored is what is saved.
    - It logs a line to `metrics.jsonl`: `step`, `seconds` of training so far, `images_per_second`,
      the means of the metrics since the last line, and scores. TensorBoard gets the same. A run
      that goes on drops the lines of later steps; TensorBoard gets those steps a second time.
    - It draws the same latents each time, to `samples/step_<step>.png` and to TensorBoard.
    - It saves checkpoints, of what was scored and when training ends or is stopped as well.
    - It draws and saves earlier where steps take so long that `sample_minutes` and
      `checkpoint_minutes` would go by. Neither changes a number of the model or of a record.
    - It ends training when the clock says so, or when as many scores as `patience` have come after
      the best by `checkpoints.monitor`. That step is then the last: all is done that is done at the
      end. An evaluation that failed does not count.

    Every worker needs one, and only the chief writes.

    Args:
        directory: The run's folder, which exists.
        images_per_step: int, real images per step.
        options: A `RunOptions`, of which `log_every`, `sample_every`, `sample_minutes`,
            `checkpoint_every`, `checkpoint_minutes`, `evaluate_every`, `mode` and `patience` are
            used. Defaults to `None`, that of `RunOptions()`.
        checkpoints: A `Checkpoints`; `None` saves none. Defaults to `None`.
        evaluation: An object with a list `score_names` and a method `flat_scores(sagan)` that
            returns a dict of floats, such as a `sagan_tf.evaluation.Evaluation`; `None` scores
            nothing. Defaults to `None`.
        clock: A `Clock`. Defaults to `None`, one without an end.

    Attributes:
        clock: The `Clock`, which is read after each loop of steps.
        end: int, the step at which training ends; `ended_by` says why, if it is not the last one.

    Raises:
        FloatingPointError: as `Watchdog`.
        OSError: if a file cannot be written.
        ValueError: when training begins, if `checkpoints.monitor` is neither a metric of the model
            nor a score, or no score although there is `patience`.
    """

    def __init__(
        self,
        directory,
        images_per_step,
        options=None,
        checkpoints=None,
        evaluation=None,
        clock=None,
    ):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self.images_per_step = images_per_step
        self.options = options or RunOptions()
        self.checkpoints = checkpoints
        self.evaluation = evaluation
        self.clock = clock or Clock()
        self._watchdog = Watchdog(self.options.log_every, checkpoints)

    def set_model(self, model):
        super().set_model(model)
        self._watchdog.set_model(model)

    def check_monitor(self, model):
        """Raises the ValueError of `checkpoints.monitor`, before anything is written."""
        monitor = self.checkpoints.monitor if self.checkpoints else None
        scores = self.evaluation.score_names if self.evaluation else []
        metrics = [] if self.options.patience else [metric.name for metric in model.metrics]
        if monitor not in (None, *metrics, *scores):
            kind = "score" if self.options.patience else "metric"
            raise unknown_name(kind, monitor, [*metrics, *scores])

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._watchdog.seen = self._saved_step = self._logged_step = self.seen
        self.check_monitor(self.model)
        monitor = self.checkpoints.monitor if self.checkpoints else None
        records = []
        if is_chief():
            self._path = self.directory / "metrics.jsonl"
            records = self._drop_records_after(self.seen)
            self._board = Board(self.directory / "tensorboard")
        self._values = [record[monitor] for record in records if monitor in record]
        self.ended_by = None
        # The time in a checkpoint is newer than that of a record, and there may be no record yet.
        known = self.checkpoints.seconds if self.checkpoints else 0.0
        self.clock.start(known or (records[-1]["seconds"] if records else 0.0))
        self._logged_at = self._saved_at = self.clock.seconds
        # Pictures come at the same times as in a run that was not stopped.
        every = 60.0 * (self.options.sample_minutes or math.inf)
        self._drawn_at = self.clock.seconds // every * every if math.isfinite(every) else 0.0
        self._end_if_over()
        self._end_if_hopeless()

    def on_train_batch_end(self, batch, logs=None):
        options, clock = self.options, self.clock
        clock.read()
        self._end_if_over()
        self._watchdog.require_finite(logs)
        logged = self.is_due(options.log_every)
        if logged:
            self._watchdog.look_for_signs(logs)
        every = options.evaluate_every
        scored = self.evaluation is not None and every > 0 and self.is_due(every)
        if scored or self.model.step == self.end:
            self.model.recalibrate()
        if scored:
            logs = {**logs, **self._score()}
            if self.checkpoints and self.checkpoints.monitor in logs:
                self._values.append(logs[self.checkpoints.monitor])
            self._end_if_hopeless()
        if scored or logged:
            self._log(logs)
        is_late = clock.is_due(self._drawn_at, options.sample_minutes)
        if is_late or self.is_due(options.sample_every):
            self._draw()
        # A checkpoint is kept of what was scored.
        is_late = clock.is_due(self._saved_at, options.checkpoint_minutes)
        if scored or is_late or self.is_due(options.checkpoint_every):
            self._save(logs)
        self.seen = self._watchdog.seen = self.model.step

    def on_train_end(self, logs=None):
        if self.model.step != self._saved_step:
            self._save(logs)
        if is_chief():
            self._board.close()

    def _end_if_over(self):
        if self.clock.is_over:
            self._end_here(f"{self.clock.limit / 60:g} minutes are over")

    def _end_if_hopeless(self):
        patience = self.options.patience
        if patience is None:
            return
        count = evaluations_since_best(self._values, self.options.best)
        # Scores of other workers may differ in their last bits.
        if self.clock.of_chief(count) >= patience:
            monitor = self.checkpoints.monitor
            self._end_here(f"{monitor} has not become better for {patience} evaluations")

    def _end_here(self, reason):
        self.end, self.ended_by = self.model.step, reason
        self.model.stop_training = True

    def _score(self):
        step = self.model.step
        try:
            scores = self.evaluation.flat_scores(self.model)
        except ValueError as error:
            logging.warning("Step %d is not scored, and training goes on: %s", step, error)
            return {}
        if is_chief():
            text = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
            logging.info("Step %d: %s", step, text)
        return scores

    def _log(self, logs):
        if is_chief():
            self._write({name: float(value) for name, value in logs.items()})
        for metric in self.model.metrics:
            metric.reset_state()

    def _write(self, metrics):
        seconds, step = self.clock.seconds, self.model.step
        images = (step - self._logged_step) * self.images_per_step
        rate = images / max(seconds - self._logged_at, 1e-9)
        timing = {"seconds": round(seconds, 3), "images_per_second": round(rate, 1)}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **timing, **metrics}) + "\n")
        except OSError as error:
            raise OSError(f"Cannot write {self._path}: {error.strerror}") from error
        self._board.add_scalars({**metrics, "images_per_second": rate}, step)
        self._logged_at, self._logged_step = seconds, step

    def _draw(self):
        self._drawn_at = self.clock.seconds
        if not draws():
            return
        grid = class_grid(self.model)
        if is_chief():
            name = f"step_{self.model.step:07d}.png"
            write_picture(self.directory / "samples" / name, grid)
            self._board.add_image("samples", grid, self.model.step)

    def _save(self, logs):
        if self.checkpoints is not None:
            self.checkpoints.save(logs, self.clock.seconds)
        self._saved_step, self._saved_at = self.model.step, self.clock.seconds

    def _drop_records_after(self, step):
        """Removes the records after a step; returns the list of those that stay."""
        records = read_json_lines(self._path) if self._path.exists() else []
        records = [record for record in records if record["step"] <= step]
        with replacing(self._path) as new:
            new.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
        return records


def evaluations_since_best(values, mode):
    """How many values follow the best one, which is the first of those that are equally good.

    Args:
        values: List of floats, the monitored scores so far.
        mode: `"min"` or `"max"`.
    """
    best = min(values, default=None) if mode == "min" else max(values, default=None)
    return len(values) - 1 - values.index(best) if values else 0
