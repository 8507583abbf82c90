# Every target makes .venv by itself.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
ADDONS := .venv-addons
RUN_ADDONS := $(ADDONS)/bin/python
# Two processes: most of a test is tracing, on one core. A file stays in one, with its fixtures.
PARALLEL := -n 2 --dist=loadfile --no-loadscope-reorder
# The releases of a lock file, checked by their digests; where it does not fit, the ranges.
install = $(RUN) -m pip install --quiet --require-hashes -r $(1) || { \
	    echo "$(1) does not fit this machine: taking the newest releases within the ranges of $(2)"; \
	    $(RUN) -m pip install --quiet $(addprefix -r ,$(2)); }
compile = $(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-annotate --upgrade --custom-compile-command "make lock"

.PHONY: demo explore test soak fuzz test-addons lint lock audit bazel bench format
.DEFAULT_GOAL := demo

# Trains on the bundled digits (minutes on two CPU cores), draws and exports.
demo: $(VENV)/.run
	$(RUN) experiments/train.py --preset=sagan_digits_16 --model_dir=runs/demo
	$(RUN) experiments/sample.py --model=runs/demo/preset --interpolate --seed=0 \
	    --output=runs/demo/interpolation.png
	$(RUN) experiments/export.py --model=runs/demo/preset --output=runs/demo/saved_model
	@printf '%s\n' '' 'Done. Look at:' \
	    '  runs/demo/samples.png        digits it drew, one column per class' \
	    '  runs/demo/attention.png      what their pixels attended to' \
	    '  runs/demo/interpolation.png  walks from one latent to another' \
	    '  runs/demo/curves.png         how it went (numbers in metrics.jsonl)' \
	    'Next:' \
    '  make explore    click on a pixel, see what it attended to' \
	    '  $(RUN) experiments/sample.py --model=runs/demo/preset --labels=3,7 --output=x.png' \
	    '  $(RUN) experiments/evaluate.py --model=runs/demo --real_vs_real' \
	    '  $(RUN) experiments/train.py --help' \
	    '  served by TensorFlow Serving from runs/demo/saved_model'

# Pages on which one clicks on a pixel of a digit, or of a picture, and sees what it attended to.
explore: $(VENV)/.app
	$(RUN) experiments/explore.py --model=sagan_digits_16 --model=sagan_cifar10_32

# All that a change can break.
test: $(VENV)/.dev
	$(RUN) -m pytest -q $(PARALLEL)
	KERAS_BACKEND=jax $(RUN) -m pytest -q $(PARALLEL) tests/layers tests/losses tests/models

# The long ones: kills by the dozen, thousands of steps, features of full size.
soak: $(VENV)/.dev
	$(RUN) -m pytest -q $(PARALLEL) -m soak

# Odd inputs at random, five minutes of them or as FLAGS say.
fuzz: $(VENV)/.dev
	PYTHONPATH=. $(RUN) tests/hostile/fuzz.py $(FLAGS)

# tensorflow-addons imports with TensorFlow 2.15 and Keras 2 only: files go between the environments.
test-addons: $(VENV)/.dev $(ADDONS)/.dev
	rm -rf runs/addons
	$(RUN) experiments/export.py --model=sagan_digits_16 --output=runs/addons/digits
	$(RUN) tests/addons/write_images.py runs/addons
	$(RUN_ADDONS) tests/addons/write_discriminator.py runs/addons
	ADDONS_FILES=runs/addons $(RUN_ADDONS) -m pytest -q tests/addons
	ADDONS_FILES=runs/addons $(RUN) -m pytest -q tests/interop/addons_weights_test.py

lint: $(VENV)/.dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# Renews the lock files within the ranges of requirements*.txt.
lock: $(VENV)/.dev
	$(compile) --output-file requirements.lock requirements.txt requirements-serving.txt
	$(compile) --output-file requirements-dev.lock requirements.txt requirements-dev.txt

# Known holes in what is locked. It asks a service of PyPI.
audit: $(VENV)/.dev
	$(RUN) -m pip install --quiet 'pip-audit>=2.9,<3'
	$(RUN) -m pip_audit --disable-pip --require-hashes -r requirements-dev.lock

# BUILD as Bazel 4 reads it, without network (Debian's bazel-bootstrap).
bazel:
	.ci/bazel_query

# Speed on this machine, beside PyTorch.
bench: $(VENV)/.bench
	for each in costs train_step versus_torch sampling lite layers startup pipeline; do \
	    $(RUN) -m benchmarks.$$each --output=runs/bench/$$each.json || exit 1; \
	done

format: $(VENV)/.dev
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv --upgrade-deps $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements.lock,requirements.txt requirements-serving.txt)
	$(RUN) -m pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/.app: requirements-app.txt $(VENV)/.run
	$(RUN) -m pip install --quiet -r requirements-app.txt
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(call install,requirements-dev.lock,requirements-dev.txt)
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.run
	$(RUN) -m pip install --quiet -r requirements-bench.txt
	@touch $@

$(ADDONS)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] > (3, 11) and "Python 3.11 or older is needed")'
	$(PYTHON) -m venv $(ADDONS)
	$(RUN_ADDONS) -m pip install --quiet --upgrade pip

$(ADDONS)/.dev: requirements-addons.txt | $(ADDONS)/bin/python
	$(RUN_ADDONS) -m pip install --quiet -r requirements-addons.txt
	@touch $@
