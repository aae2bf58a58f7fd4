"""Which route took a request, as the routers of Starlette and FastAPI leave it.

Reads the scope when the answer ends. Patterns are those that the application declares,
with the prefixes of its routers and mounts; never the path itself, nor the server's
``root_path``. Imports no framework: it asks their routes for public attributes only,
and the scope for one entry of FastAPI's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Scope = dict[str, Any]
Target = tuple[str, str]
NOWHERE: Target = ("", "")
REST = "/{path:path}"
"""What Starlette itself adds to the pattern of a mount."""
LAYERS = 16
"""So much middleware around a mounted application is looked through."""
PREFIXES = 1_024
_prefixes: dict[tuple[int, str, str], tuple[Any, str]] = {}
"""Patterns of mounts that were found once, by their router and ``root_path``."""


def routed(scope: Scope) -> Target:
    """Pattern and name of the route; both empty if there was none."""
    route, endpoint = scope.get("route"), scope.get("endpoint")
    if route is None and endpoint is None:
        return NOWHERE
    if _endpoint(route) is not endpoint:
        # It is a mount or an earlier one: FastAPI does not name plain routes.
        return _walk(scope) or NOWHERE
    own = _included(scope, route) or _target(route)
    return _behind_mounts(scope, own) if "app_root_path" in scope else own


def _included(scope: Scope, route: Any) -> Target | None:
    """FastAPI names the route as its router has it: here is it with all prefixes."""
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    if context is None or getattr(context, "original_route", None) is not route:
        return None
    return _target(context)


def _behind_mounts(scope: Scope, own: Target) -> Target:
    """The route of a mounted application, with what was before that."""
    router = scope.get("router")
    key = (id(router), scope["app_root_path"], scope.get("root_path", ""))
    known = _prefixes.get(key)
    if known is not None and known[0] is router:
        return known[1] + own[0], own[1]
    found = _walk(scope) or own
    if found[0].endswith(own[0]) and len(_prefixes) < PREFIXES:
        _prefixes[key] = (router, found[0].removesuffix(own[0]))
    return found


def _walk(scope: Scope) -> Target | None:
    """What the outermost router led to."""
    routes = getattr(scope.get("router"), "routes", ())
    root = scope.get("app_root_path", scope.get("root_path", ""))
    return _find(routes, scope, scope["path"].removeprefix(root))


def _find(routes: Iterable[Any], scope: Scope, path: str) -> Target | None:
    """The route of these, or of what is mounted among them, that ``path`` took."""
    endpoint = scope.get("endpoint")
    for route in _flat(routes):
        if hasattr(route, "endpoint"):
            if route.endpoint is endpoint and _match(route, path):
                return _target(route)
        elif hasattr(route, "host_regex"):
            if found := _find(route.routes, scope, path):
                return found
        elif (match := _match(route, path)) and "path" in match.re.groupindex:
            # A router takes the first mount that fits, whatever it finds in it.
            return _inside(route, scope, f"/{match['path']}")
    return None


def _inside(mount: Any, scope: Scope, path: str) -> Target | None:
    """A route of a mounted application; or all of one that has none to be seen."""
    app = mount.app
    for _ in range(LAYERS):
        if not hasattr(app, "routes"):
            app = getattr(app, "app", app)
    routes = getattr(app, "routes", ())
    if not routes:
        return mount.path + REST, getattr(mount, "name", "") or type(app).__name__
    found = _find(routes, scope, path)
    return found and (mount.path + found[0], found[1])


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    """FastAPI keeps included routers as such, and tells what their routes are here."""
    for route in routes:
        if hasattr(route, "effective_route_contexts"):
            for context in route.effective_route_contexts():
                yield getattr(context, "starlette_route", None) or context
        else:
            yield route


def _match(route: Any, path: str) -> Any:
    regex = getattr(route, "path_regex", None)
    return regex and regex.match(path)


def _target(route: Any) -> Target:
    path, name = getattr(route, "path", ""), getattr(route, "name", "")
    return str(path or ""), str(name or "")


def _endpoint(route: Any) -> Any:
    return getattr(route, "endpoint", None)
