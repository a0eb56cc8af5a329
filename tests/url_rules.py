"""URL rules that are compiled once a run, since that is most of what it costs to make an application."""

from typing import Any

from flask import Flask
from werkzeug.routing import Rule

_compiled: dict[tuple[Any, ...], dict[str, Any]] = {}


class RuleCompiledOnce(Rule):
    """A rule of Werkzeug's that takes over what the same rule was compiled to before."""

    def compile(self) -> None:
        """Take it over, or compile it: what it becomes depends on what stands in the key alone."""
        assert self.map is not None
        of_the_map = (self.map.host_matching, *self.map.converters.items())
        defaults = tuple(sorted((self.defaults or {}).items()))
        key = (self.rule, self.host, self.subdomain, self.strict_slashes, self.merge_slashes, defaults, of_the_map)
        if key not in _compiled:
            before = dict(vars(self))
            super().compile()
            made = {name: value for name, value in vars(self).items() if value is not before.get(name)}
            _compiled[key] = made | {"arguments": self.arguments}
        vars(self).update(_compiled[key])


def compile_once() -> None:
    """Let every application that is made from now on have such rules."""
    Flask.url_rule_class = RuleCompiledOnce
