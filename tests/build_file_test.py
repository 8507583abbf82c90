"""BUILD says what the packages really import."""

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


def targets():
    """Name to keyword arguments of every rule in BUILD; globs are expanded."""
    rules = {}
    for node in ast.parse((ROOT / "BUILD").read_text()).body:
        call = getattr(node, "value", None)
        if isinstance(call, ast.Call) and call.func.id in ("py_library", "py_binary"):
            arguments = {keyword.arg: keyword.value for keyword in call.keywords}
            sources = arguments["srcs"]
            if isinstance(sources, ast.Call):
                (patterns,) = (ast.literal_eval(argument) for argument in sources.args)
                files = {path for pattern in patterns for path in ROOT.glob(pattern)}
            else:
                files = {ROOT / name for name in ast.literal_eval(sources)}
            deps = ast.literal_eval(arguments["deps"]) if "deps" in arguments else []
            rules[ast.literal_eval(arguments["name"])] = (files, deps)
    return rules


TARGETS = targets()


def imported(path):
    """Dotted names that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = node.module in ("sagan_tf", "experiments")
            yield from (
                f"{node.module}.{alias.name}" if package else node.module for alias in node.names
            )


def label(name):
    """The target that provides a module, or None for the standard library's."""
    first, *rest = name.split(".")
    if first == "experiments":
        return f":{rest[0]}"
    if first == "sagan_tf":
        return f":{rest[0]}" if rest and rest[0] in TARGETS else ":sagan_tf"
    if first in sys.stdlib_module_names:
        return None
    name = DISTRIBUTIONS.get(first, first)
    return f"@pypi_app//{name}" if name in required("requirements-app.txt") else f"@pypi//{name}"


def required(file):
    """Names of the distributions in a file of requirements."""
    lines = (ROOT / file).read_text().replace("-", "_").splitlines()
    return {line.split(">")[0] for line in lines if line and not line.startswith("#")}


@pytest.mark.parametrize("target", TARGETS)
def test_deps_are_the_imports(target):
    files, deps = TARGETS[target]
    needed = {label(name) for path in files for name in imported(path)} - {None, f":{target}"}
    if target == "sagan_tf":
        # Its lazy packages are loaded by name.
        needed |= {f":{path.parent.name}" for path in (ROOT / "sagan_tf").glob("*/__init__.py")}
    assert files
    assert len(deps) == len(set(deps))
    assert set(deps) == needed


def test_every_file_belongs_to_one_target():
    owned = [path for files, _ in TARGETS.values() for path in files]
    existing = [*ROOT.glob("sagan_tf/**/*.py"), *ROOT.glob("experiments/**/*.py")]
    assert sorted(owned) == sorted(existing)


@pytest.mark.parametrize(
    "hub, file", [("@pypi//", "requirements.txt"), ("@pypi_app//", "requirements-app.txt")]
)
def test_every_dependency_is_required(hub, file):
    used = {dep for _, deps in TARGETS.values() for dep in deps if dep.startswith(hub)}
    assert used and {dep.removeprefix(hub) for dep in used} <= required(file)
