"""The tests mirror the tree, and the files stay small."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("calls", "campaigns", "vantum")

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50

WITHOUT_TESTS = {
    "calls/apps.py": "registers the checks, which are tested",
    "calls/enums.py": "vocabulary; its two properties are tested where the wire and the pages use them",
    "calls/errors.py": "texts and fields, asserted where each error is raised",
    "calls/providers/base.py": "Protocols and records",
    "calls/runner/ports.py": "Protocols and records",
    "calls/engine/events.py": "records",
    "calls/engine/phonecall.py": "records",
    "calls/runner/options.py": "records",
    "calls/sandbox/steps.py": "records",
    "calls/signals.py": "one signal, tested with the service that sends it",
    "campaigns/apps.py": "connects what is tested where it stands",
    "campaigns/enums.py": "vocabulary",
    "campaigns/errors.py": "texts, asserted where each error is raised",
    "vantum/urls.py": "addresses, each tested with its view",
}


def has_test(module: Path) -> bool:
    """Whether a test file stands where the tree says: of the module itself, or of a package that holds it."""
    places = [module.with_suffix("")]
    places += [place for place in module.parents if len(place.parts) > 1]
    for place in places:
        folder = ROOT / "tests" / place.parent
        if any(folder.glob(f"test_{place.name}.py")) or any(folder.glob(f"test_{place.name}_*.py")):
            return True
    return False


def source_files() -> list[Path]:
    return [
        path.relative_to(ROOT)
        for top in SOURCES
        for path in sorted((ROOT / top).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def test_every_module_has_its_test_file() -> None:
    modules = [path for path in source_files() if path.name != "__init__.py"]
    assert [str(path) for path in modules if str(path) not in WITHOUT_TESTS and not has_test(path)] == []


def test_the_list_of_modules_without_tests_is_true() -> None:
    assert [path for path in WITHOUT_TESTS if not (ROOT / path).exists() or has_test(Path(path))] == []


def test_no_file_is_longer_than_it_may_be() -> None:
    tops = (*SOURCES, "tests", "static", "templates")
    files = [
        path
        for top in tops
        for path in (ROOT / top).rglob("*")
        if path.suffix in {".py", ".js", ".mjs", ".css", ".html"}
    ]
    files = [path for path in files if not {"node_modules", "migrations"} & set(path.parts)]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert {path: length for path, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_it_may_be() -> None:
    found = {}
    for path in (*source_files(), *(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    found[f"{path}:{node.lineno} {node.name}"] = length
    assert found == {}
