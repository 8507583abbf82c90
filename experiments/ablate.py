r"""Trains variants of one setting at several seeds, scores them alike, and compares the scores.

Does attention help on the digits?

  python experiments/ablate.py --vary="attention_resolutions=(),(8,)" --seeds=3 --steps=1100 \
      --output=runs/attention

Does it help more than a residual block with as many parameters, the control of the SAGAN paper?

  python experiments/ablate.py --vary=attention_layer=self_attention,residual --seeds=5 \
      --preset=sagan_cifar10_32 --dataset=cifar10 --output=runs/control

Every run is one of train.py in a folder OUTPUT/VALUE/seed_SEED of its own, with the report of
evaluate.py beside it in scores.json. The table has mean and deviation of each variant, and the
paired 95 % confidence interval of its difference from the first one; OUTPUT/scores.json and
OUTPUT/scores.png show the same. Whatever ended it, the same command goes on: runs that are done are
neither trained nor scored again, and a run that had begun goes on from its last checkpoint. --seed
is the first seed, and --seeds may grow.
"""

import dataclasses
import pathlib

from absl import flags

from experiments import program, scoring, settings_flags, training_flags
from sagan_tf import files
from sagan_tf.cluster import workers
from sagan_tf.config import Config, ModelConfig, Recipe, RunOptions
from sagan_tf.data import folder_names
from sagan_tf.data.catalog import check_dataset
from sagan_tf.data.slices import held_out_split
from sagan_tf.evaluation.protocol import Protocol
from sagan_tf.models.architecture import describe_plans
from sagan_tf.models.model_folder import CONFIG_FILE, find_model, weights_digest
from sagan_tf.models.run_folder import check_run, with_origin

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(scoring)  # So that --help shows them.
settings_flags.define_variation("vary", ModelConfig, Recipe)
flags.DEFINE_integer("seeds", 3, "Number of seeds, at which each variant is trained.", 1)
flags.DEFINE_string("output", None, "Folder of the runs and of what they say.", required=True)
training_flags.define(skip_options=("evaluate_every", "monitor", "mode", "patience", "extend"))
settings_flags.define(Protocol, *scoring.DRAWING)

_SETTINGS, _SCORES = "ablation.json", "scores.json"
# Variants are compared with the same real images, by the same features.
_SAME_FOR_ALL = (
    *("image_size", "channels", "num_classes"),
    *("dataset", "split", "skip_corrupt", "fit", "dataset_size", "dataset_digest"),
)


@dataclasses.dataclass(frozen=True)
class Run:
    """A variant, by the text of its value, at one seed; its folder and its `Config`."""

    variant: str
    folder: pathlib.Path
    config: Config


def main():
    directory = program.output_path("output", folder=True)
    setting, values = FLAGS.vary
    check_setting(setting)
    config, adapt_classes = training_flags.chosen_config()
    options = RunOptions(**settings_flags.given(RunOptions))
    if workers():
        raise ValueError("ablate.py trains on one host, but TF_CONFIG names a cluster: unset it")
    runs = list_runs(config, setting, values, directory)
    for run in runs:
        training_flags.check(run.config, options)
    check_dataset(config.recipe.dataset, config.recipe.split)
    check_that_variants_differ(runs)
    drawing = scoring.drawing_of(config.recipe)
    make_evaluation = scoring.evaluation_maker(
        config.recipe.skip_corrupt, config.recipe.fit, **drawing
    )
    settings = settings_of(config, setting, values, scoring.chosen_protocol(**drawing))
    split = config.recipe.split
    settings["evaluate_split"] = options.evaluate_split or held_out_split(split) or split
    if origins := digests_of_origins(runs, directory):
        settings["origins"] = origins
    check_folder(directory, settings)
    for run in runs:
        check_run(run.folder, with_origin(run.folder, run.config))
    program.start_backend()

    from sagan_tf import evaluation, training, visualization

    config, source = training.for_dataset(config, options, adapt_classes)
    # Before anything is trained it is known whether it can be scored.
    scored, split = training.scored_dataset(config, options, source)
    scorer = make_evaluation(scored, config.model, source)
    # What the data set decides is known now.
    runs = list_runs(config, setting, values, directory)
    for run in runs:
        check_run(run.folder, with_origin(run.folder, run.config))
    files.write_json(directory / _SETTINGS, settings)
    scores = {variant: [] for variant in values}
    for number, run in enumerate(runs, start=1):
        name = f"{setting}={run.variant}, seed {run.config.recipe.seed}"
        print(f"\n{name} ({number} of {len(runs)} runs)", flush=True)
        scores[run.variant].append(score_run(run, options, scorer))

    variants = evaluation.compare_variants(scores)
    by = scoring.described(scorer.features)
    seeds = f"{FLAGS.seeds} seed{'s' if FLAGS.seeds > 1 else ''}"
    print(f"\n{seeds}, {config.recipe.dataset} ({split}), by {by}\n")
    print(evaluation.format_comparison(setting, variants))
    if FLAGS.seeds > 1:
        print("\n± is the deviation over seeds, and brackets are paired 95 % confidence intervals.")
    about = {**settings, **conditions_of(scorer)}
    files.write_json(directory / _SCORES, {**about, "variants": variants})
    picture = visualization.score_comparison(
        setting,
        {
            variant: {name: score["values"] for name, score in found.items()}
            for variant, found in variants.items()
        },
    )
    files.write_picture(directory / "scores.png", picture)
    for name in (_SCORES, "scores.png"):
        print(directory / name)


def check_setting(setting):
    """Raises a ValueError if variants of a setting cannot be compared, or it is a flag as well."""
    if setting == "seed":
        raise ValueError("--vary=seed compares nothing: --seeds says how many seeds there are")
    if setting in training_flags.FILLED_IN:
        raise ValueError(f"--vary={setting} compares nothing: it is filled in when a run begins")
    if setting in _SAME_FOR_ALL:
        raise ValueError(
            f"--vary={setting} compares nothing: variants are scored against the same images, of "
            "the same size and classes"
        )
    if setting in training_flags.chosen_settings():
        raise ValueError(f"--{setting} and --vary={setting} exclude each other")


def list_runs(config, setting, values, directory):
    """List of a `Run` for each seed and variant, all variants of a seed after each other."""
    first = config.recipe.seed
    # The value may be a path.
    folders = folder_names(list(map(folder_name, values.values())))
    return [
        Run(
            variant,
            directory / folder / f"seed_{seed}",
            config.override(**{setting: value, "seed": seed}),
        )
        for seed in range(first, first + FLAGS.seeds)
        for folder, (variant, value) in zip(folders, values.items(), strict=True)
    ]


def folder_name(value):
    """Name of the folder of a variant, which needs no quotes in a shell."""
    if isinstance(value, tuple):
        return "-".join(map(str, value)) or "empty"
    return settings_flags.text_of(value)


def check_that_variants_differ(runs):
    """Raises a ValueError if two variants would train the same networks in the same way."""
    known = {}
    for run in runs:
        recipe = run.config.recipe.replace(seed=0)
        if recipe.penalty is None:
            recipe = recipe.replace(penalty_weight=0.0)
        made = describe_plans(run.config.model), recipe
        for variant, other in known.items():
            if variant != run.variant and other == made:
                raise ValueError(
                    f"--vary: {variant} and {run.variant} make the same model here, and variants "
                    "must differ"
                )
        known[run.variant] = made


def settings_of(config, setting, values, protocol):
    """Dict, ready for JSON, of all that the comparison depends on, but for the data themselves."""
    chosen = {
        **dataclasses.asdict(protocol),
        **dataclasses.asdict(config.model),
        **dataclasses.asdict(config.recipe),  # Its seed is the first one of training.
    }
    for name in (setting, "dataset_size", "dataset_digest"):
        del chosen[name]
    return {
        "vary": setting,
        "values": list(values),
        "seeds": FLAGS.seeds,
        "features_of": FLAGS.features,
        **chosen,
    }


def digests_of_origins(runs, directory):
    """Dict from what runs begin with to the digests of the weights: seeds may be added later.

    What is gone, and was there when the comparison began, is what it was.
    """
    path, found = directory / _SETTINGS, {}
    for name in sorted({run.config.recipe.init_from for run in runs} - {None}):
        try:
            found[name] = weights_digest(find_model(name))
        except ValueError:
            known = dict(files.read_json(path)).get("origins", {}) if path.exists() else {}
            if name not in known:
                raise
            found[name] = known[name]
    return found


def check_folder(directory, settings):
    """Raises a ValueError if a folder holds something else than this comparison of fewer seeds."""
    path = directory / _SETTINGS
    if not path.exists():
        if (directory / CONFIG_FILE).exists():
            raise ValueError(f"{directory} holds a model or a run: choose another directory")
        return
    seeds = settings["seeds"]
    difference = files.settings_differences(path, settings)
    known = files.read_json(path).get("seeds")
    if type(known) is int and known < seeds:
        difference.remove(f"seeds={known} there, {seeds} here")
    if difference:
        raise ValueError(
            f"{directory} holds another comparison ({'; '.join(difference)}): choose another "
            "directory"
        )


def score_run(run, options, scorer):
    """Trains a run to its end and scores it, unless that is done; returns a dict of its scores."""
    import keras

    from sagan_tf import SAGAN, training

    path = run.folder / _SCORES
    report = read_report(path, scorer)
    if report is None:
        training.train(run.config, run.folder, options)
        # Every run starts, and is scored, as in a process of its own: in float32.
        keras.utils.clear_session()
        sagan = SAGAN.from_preset(run.folder / "preset")
        seed = scorer.protocol.seed
        report = scoring.report(sagan, scorer, [scorer.score(sagan, seed)], [seed])
        files.write_json(path, report)
    else:
        print(f"Its scores are in {path}")
    return {
        name: score["mean"]
        for name, score in report["generated"]["scores"].items()
        if not name.endswith("_std")  # It belongs to another score.
    }


def read_report(path, scorer):
    """The report of a run, or `None` if there is none by these features and this protocol."""
    if not path.exists():
        return None
    if files.settings_differences(path, conditions_of(scorer)):
        print(f"{path} is of other features, and is written anew")
        return None
    return files.read_json(path)


def conditions_of(scorer):
    """Dict of the features and the protocol by which scores are comparable, as reports have it."""
    return {
        "features": scorer.features.description,
        "protocol": dataclasses.asdict(scorer.protocol),
    }


if __name__ == "__main__":
    program.run(main)
