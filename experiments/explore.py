r"""Click on a pixel, and see what the generator attended to: a page on this machine.

  python experiments/explore.py --model=sagan_digits_16

A run can be watched while it trains, here beside the preset and at a port of its own:

  python experiments/explore.py --model=runs/digits --second_model=sagan_digits_16 --port=8000

Several models get a page each, with links from one to the other:

  python experiments/explore.py --model=sagan_digits_16 --model=runs/digits

Nothing but this machine reaches the page, and the page reaches nothing else. Its parts are in
experiments/explorer/.
"""

import importlib.util
import logging
import os
import signal
import tempfile

from absl import flags

from experiments import program, settings_flags
from sagan_tf.evaluation.protocol import Protocol

FLAGS = flags.FLAGS
flags.DEFINE_multi_string(
    "model",
    None,
    "Name or folder of a preset, or folder of a run. Each that is given gets a page.",
    required=True,
)
flags.DEFINE_string("second_model", None, "Another model, which draws the same inputs beside it.")
flags.DEFINE_integer(
    "port", None, "Port of the page. Default: the first free one from 7860.", 1, 65535
)
settings_flags.define(Protocol, "ema", "standing_statistics")

_HOST = "127.0.0.1"
# Each visit keeps the attention maps of its images, see `MAX_MAP_BYTES` of the explorer.
_VISITS = 32


def main():
    if importlib.util.find_spec("gradio") is None:
        raise ValueError(
            "gradio is missing: `make explore` or `pip install .[explorer]` in the checkout gets it"
        )
    second = [] if FLAGS.second_model is None else [FLAGS.second_model]
    names = [*FLAGS.model, *second]
    if len(set(FLAGS.model)) < len(FLAGS.model):
        raise ValueError(f"--model must not name a model twice. Received: {', '.join(FLAGS.model)}")
    if len(set(names)) < len(names):
        raise ValueError(f"--second_model must be another model. Received: {FLAGS.second_model}")

    # They end the program as ^C does, so that the folder of pictures is removed.
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP.
        if number and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    settings = settings_flags.given(Protocol, "ema", "standing_statistics")
    sagans = program.load_models(*names, **settings)
    models = dict(zip(names, sagans, strict=True))
    with tempfile.TemporaryDirectory(prefix="explore-") as pictures:
        # Gradio reads both when it is imported.
        os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_TEMP_DIR=pictures)

        from starlette.middleware import Middleware

        from experiments.explorer import page as explorer_page
        from experiments.explorer.explorer import Explorer
        from experiments.explorer.same_site import SameSite

        logging.getLogger("httpx").setLevel(logging.WARNING)
        side_by_side = [{name: models[name] for name in (first, *second)} for first in FLAGS.model]
        page = explorer_page.make_page([Explorer(each, FLAGS.ema) for each in side_by_side])
        _, url, _ = page.launch(
            server_name=_HOST,
            server_port=FLAGS.port,
            share=False,
            quiet=True,
            ssr_mode=False,
            pwa=False,
            # Nothing is to be sent here but clicks.
            max_file_size=1024,
            app_kwargs={"middleware": [Middleware(SameSite, hosts=(_HOST, "localhost"))]},
            mcp_server=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=[],
            state_session_capacity=_VISITS,
            prevent_thread_lock=True,
            theme=explorer_page.THEME,
            css=explorer_page.CSS,
        )
        print(f"Open {url} (^C ends it)", flush=True)
        page.block_thread()


if __name__ == "__main__":
    program.run(main)
