"""The BUILD files say what the packages really import, and who may import whom."""

import ast
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
DISTRIBUTIONS = {
    "PIL": "pillow",
    "absl": "absl_py",
    "grpc": "grpcio",
    "sklearn": "scikit_learn",
    "tensorflow_serving": "tensorflow_serving_api",
}
# Each package may import those after it.
ORDER = (
    "export",
    "evaluation",
    "training",
    "interop",
    "visualization",
    "data",
    "models",
    "layers",
    "losses",
)


def read_targets(folder):
    """Label to `(files, deps, visibility)` of each library in a folder's BUILD."""
    package = folder.relative_to(ROOT).as_posix()
    found, defaults = {}, {}

    def rule(name, srcs, deps=(), visibility=None, **_):
        deps = [_full_label(dep, package) for dep in deps]
        files = [folder / file for file in srcs]
        found[f"//{package}:{name}"] = files, deps, visibility or defaults["default_visibility"]

    # A BUILD file is valid Python.
    functions = {
        "glob": lambda patterns: sorted(p for each in patterns for p in folder.glob(each)),
        "load": lambda *names: None,
        "package": defaults.update,
        # A program is a file of the library beside it.
        "py_binary": lambda **_: None,
        "py_library": rule,
    }
    exec((folder / "BUILD").read_text(), functions)
    return found


def _full_label(label, package):
    if label.startswith(":"):
        return f"//{package}{label}"
    return label if label.startswith("@") or ":" in label else f"{label}:{label.split('/')[-1]}"


TARGETS = {
    label: target
    for top in ("sagan_tf", "experiments", "deploy")
    for build in sorted((ROOT / top).rglob("BUILD"))
    for label, target in read_targets(build.parent).items()
}
HUBS = {
    "@pypi//": "requirements.txt",
    "@pypi_app//": "requirements-app.txt",
    "@pypi_jax//": "requirements-jax.txt",
    "@pypi_serving//": "requirements-serving.txt",
}
OWNER = {path: label for label, (files, _, _) in TARGETS.items() for path in files}


def imported(path):
    """Labels of what a file imports, at any depth; without the standard library's."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from filter(None, map(label_of, names))


def label_of(name):
    """The target that provides a module or a name in it, `None` for the standard library's."""
    first, *rest = name.split(".")
    if first in sys.stdlib_module_names:
        return None
    if first in ("sagan_tf", "experiments"):
        for end in range(len(rest), -1, -1):
            module = ROOT.joinpath(first, *rest[:end])
            for file in (module.with_suffix(".py"), module / "__init__.py"):
                if file in OWNER:
                    return OWNER[file]
        raise AssertionError(f"{name} belongs to no target")
    name = DISTRIBUTIONS.get(first, first)
    return next(f"{hub}{name}" for hub, file in HUBS.items() if name in required(file))


def required(file):
    """Names of the distributions in a file of requirements."""
    lines = (ROOT / file).read_text().replace("-", "_").splitlines()
    return {line.split(">")[0] for line in lines if line and not line.startswith("#")}


def is_visible(target, to):
    package = to.partition(":")[0]
    return target.partition(":")[0] == package or any(
        scope in ("//visibility:public", f"{package}:__pkg__")
        or (scope.endswith(":__subpackages__") and package.startswith(scope.partition(":")[0]))
        for scope in TARGETS[target][2]
    )


@pytest.mark.parametrize("target", TARGETS)
def test_deps_are_the_imports_and_may_be_imported(target):
    files, deps, _ = TARGETS[target]
    needed = {label for path in files for label in imported(path)} - {target}
    if target == "//sagan_tf:sagan_tf":
        # Its packages are loaded by name when they are first used.
        needed |= {label for label in TARGETS if label.startswith("//sagan_tf")} - {target}
    assert len(deps) == len(set(deps))
    assert set(deps) == needed
    for dep in deps:
        assert dep.startswith("@") or is_visible(dep, target), dep


def test_what_is_below_does_not_see_what_is_above():
    for index, name in enumerate(ORDER):
        for below in ORDER[index + 1 :]:
            target = f"//sagan_tf/{below}:{below}"
            assert not is_visible(f"//sagan_tf/{name}:{name}", target), (name, below)
            assert is_visible(target, f"//sagan_tf/{name}:{name}"), (name, below)


def test_every_file_belongs_to_one_target():
    owned = [path for files, _, _ in TARGETS.values() for path in files]
    existing = [
        path for top in ("sagan_tf", "experiments", "deploy") for path in (ROOT / top).rglob("*.py")
    ]
    assert sorted(owned) == sorted(existing)


@pytest.mark.parametrize("hub, file", HUBS.items())
def test_every_dependency_is_required(hub, file):
    used = {dep for _, deps, _ in TARGETS.values() for dep in deps if dep.startswith(hub)}
    assert used and {dep.removeprefix(hub) for dep in used} <= required(file)
