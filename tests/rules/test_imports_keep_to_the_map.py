"""What import-linter can't see: libraries that one feature alone may use, and what may know a request."""

import ast
import tomllib

from tests.rules.sources import CHECKOUT, imports, modules, name, tree

_PROTOCOL = {"authlib", "joserfc"}
_REQUEST = {"flask.request", "flask.session", "flask.g"}
_NOT_SERVICES = {"views", "forms", "commands", "endpoints", "browser"}


def test_only_the_protocol_s_feature_imports_its_libraries() -> None:
    others = [path for path in modules("idp") if not path.is_relative_to(CHECKOUT / "idp" / "oidc")]
    found = [f"{name(path)}: {used}" for path in others for used in imports(path) if used.split(".")[0] in _PROTOCOL]

    assert found == []


def test_services_and_models_know_no_request() -> None:
    looked_at = [path for path in modules("idp") if path.stem in {"service", "models", "store"}]
    found = [f"{name(path)}: {used}" for path in looked_at for used in imports(path) if used in _REQUEST]

    assert len(looked_at) > 10
    assert found == []


def test_records_never_commit() -> None:
    records = ("audit", "throttle", "accounts", "clients", "sessions")
    found = [
        f"{name(path)}:{node.lineno}"
        for folder in records
        for path in modules(f"idp/{folder}")
        if path.stem not in _NOT_SERVICES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "db.session.commit"
    ]

    assert found == []


def test_every_feature_is_named_in_the_contract_on_its_inside() -> None:
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    inside = next(contract for contract in contracts if contract["name"].startswith("Inside a feature"))
    features = {f"idp.{path.parent.name}" for path in modules("idp") if path.stem in {"models", "views"}}

    assert features - {"idp.idp", "idp.web"} == set(inside["containers"])


def test_only_the_clock_reads_the_time() -> None:
    readers = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
    found = [
        f"{name(path)}:{node.lineno}"
        for path in modules("idp")
        if name(path) != "idp/clock.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in readers
    ]

    assert found == []
