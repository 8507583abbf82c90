r"""Click on a pixel, and see what the generator attended to: a page on this machine.

  python experiments/explore.py --model=sagan_digits_16

A run, while it trains, beside the preset; at a port of its own:

  python experiments/explore.py --model=runs/digits --second_model=sagan_digits_16 --port=8000

Nothing but this machine reaches the page, and the page reaches nothing else.
"""

import importlib.util
import logging
import os
import signal
import sys
import tempfile

from absl import flags

from experiments import program

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset's name or folder, or that of a run.", required=True)
flags.DEFINE_string("second_model", None, "Another one, beside it: the same inputs.")
flags.DEFINE_integer(
    "port", None, "Where to serve. Default: the first free one from 7860.", 1, 65535
)

_HOST = "127.0.0.1"
# Each visit keeps its images' attention maps: see `explorer.MAX_MAP_BYTES`.
_VISITS = 16


def main():
    if importlib.util.find_spec("gradio") is None:
        raise ValueError(
            f"gradio is missing: {sys.executable} -m pip install -r requirements-app.txt"
        )
    names = [name for name in (FLAGS.model, FLAGS.second_model) if name is not None]
    if len(set(names)) < len(names):
        raise ValueError(f"--second_model must be another one. Received: {FLAGS.second_model}")

    from sagan_tf import training

    # SIGTERM ends it like ^C: the folder of pictures goes too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    models = {name: training.load_model(name) for name in names}
    with tempfile.TemporaryDirectory(prefix="explore-") as pictures:
        # gradio reads both when it is imported.
        os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_TEMP_DIR=pictures)

        from experiments import explorer, explorer_page

        logging.getLogger("httpx").setLevel(logging.WARNING)
        page = explorer_page.make_page(explorer.Explorer(models))
        _, url, _ = page.launch(
            server_name=_HOST,
            server_port=FLAGS.port,
            share=False,
            quiet=True,
            ssr_mode=False,
            pwa=False,
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
