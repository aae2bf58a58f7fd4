"""The Django middleware: one event for every request, whatever becomes of it.

Put it first in ``MIDDLEWARE``. It reads what the request and the response already
know, and hands an event to the recorder when the request ends: when it was answered,
when an exception passed (a worker's time-out and a cancelled task included), and for
a stream at its end, a file when the server closes it. It never adds a query, a header
or a cookie, never loads the user or the session, and never lets an error of its own
out.
"""

from __future__ import annotations

import sys
from asyncio import CancelledError
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from time import perf_counter_ns, time_ns
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core import mail
from django.core.exceptions import MiddlewareNotUsed
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.http.request import validate_host
from django.http.response import HttpResponseBase
from django.utils.functional import LazyObject, empty

from ..conf import Config, get_config
from ..rollup.dimensions import declared_kwargs
from . import maker
from .event import KWARG_LIMIT, RequestEvent, class_name, clean
from .headers import host_of
from .maker import CLIENT_LEFT, NO_KWARGS, Maker, Policy
from .recorder import Recorder
from .streaming import follow_stream

_EXCEPTION = "_analytics_exception"
_HOSTS_OF_DEBUG = (".localhost", "127.0.0.1", "[::1]")
"""What Django allows while it debugs, if nobody said."""

_recorder: Recorder | None = None


def get_recorder() -> Recorder:
    """The recorder of this process, shared by all middleware instances."""
    global _recorder
    if _recorder is None:
        _recorder = Recorder(get_config().recorder)
    return _recorder


def tests_are_running() -> bool:
    """Whether Django's test environment is set up, by any runner."""
    return hasattr(mail, "outbox")


class AnalyticsMiddleware:
    """Records every request. Works in sync and async chains."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        config = get_config()
        if tests_are_running() and not config.record_in_tests:
            raise MiddlewareNotUsed("ANALYTICS_RECORD_IN_TESTS is off")
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        self._recorder = get_recorder()
        self._event_of = EventMaker(config)
        self._ignore = config.ignore

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(self._ignore):
            return self.get_response(request)
        if self._is_async:
            return self._acall(request)
        arrived, started = time_ns(), perf_counter_ns()
        try:
            response = self.get_response(request)
        except BaseException as error:
            self._raised(request, error, arrived, started)
            raise
        self._record(request, response, arrived, started)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        arrived, started = time_ns(), perf_counter_ns()
        try:
            response = await self.get_response(request)
        except BaseException as error:
            self._raised(request, error, arrived, started)
            raise
        self._record(request, response, arrived, started)
        return response

    def _record(
        self,
        request: HttpRequest,
        response: Any,
        arrived: int,
        started: int,
        sent: int | None = None,
        exception: str = "",
    ) -> None:
        """Record an answered request; one that streams when that has ``sent`` all."""
        try:
            if sent is None:
                if response.streaming:
                    record = partial(self._record, request, response, arrived, started)
                    follow_stream(response, record)
                    return
                sent = len(response.content)
            event = self._event_of(
                request,
                response.status_code,
                arrived,
                started,
                sent,
                exception or request.__dict__.get(_EXCEPTION, ""),
                is_page(request, response),
            )
        except Exception as error:
            self._recorder.miss(f"event: {type(error).__name__}")
        else:
            self._recorder.record(event)

    def _raised(
        self, request: HttpRequest, error: BaseException, arrived: int, started: int
    ) -> None:
        """An exception passed us: nobody made an answer of it."""
        left = isinstance(error, CancelledError)
        try:
            event = self._event_of(
                request,
                CLIENT_LEFT if left else 500,
                arrived,
                started,
                0,
                "" if left else class_name(error),
                False,
            )
        except Exception as failure:
            self._recorder.miss(f"event: {type(failure).__name__}")
        else:
            self._recorder.record(event)


class EventMaker:
    """Makes an event of a request, from what Django knows without asking anybody."""

    def __init__(self, config: Config) -> None:
        self._make = Maker(
            Policy(
                key=config.recorder.key,
                host_of=_allowed_host,
                proxies=config.proxies,
                visitor_period=config.visitor_period,
                record_users=config.record_users,
                record_paths=config.record_paths,
                honour_dnt=config.honour_dnt,
                country_header=config.country_header,
                country_database=config.country_database,
                forwarded_host=settings.USE_X_FORWARDED_HOST,
            )
        ).make
        self._kwargs = declared_kwargs()
        # What comes again and again is cleaned once. Bounded, as are the keys.
        self._target = lru_cache(maxsize=4_096)(self._target_of)

    def __call__(
        self,
        request: HttpRequest,
        status: int,
        arrived: int,
        started: int,
        length: int,
        exception: str,
        page: bool,
    ) -> RequestEvent:
        match = request.resolver_match
        route = view = ""
        kwargs = NO_KWARGS
        if match is not None:
            route, view, names = self._target(match.route, match.view_name)
            if names:
                kwargs = _declared(names, match.kwargs)
        return self._make(
            request.META,
            request.method,
            request.path,
            (route, view, kwargs),
            loaded_user(request),
            status,
            arrived,
            started,
            length,
            exception,
            page,
        )

    def _target_of(
        self, route: str, view: str | None
    ) -> tuple[str, str, tuple[str, ...]]:
        """Route, view and declared keyword arguments of a URL pattern."""
        names = self._kwargs.get(view, ()) if view else ()
        return clean(f"/{route}"), clean(view or ""), names


def _allowed_host(header: str) -> str:
    """The host of the header, if it is one of ours: anybody may ask for any, and each
    would be a key."""
    host = host_of(header)
    ours = settings.ALLOWED_HOSTS or (_HOSTS_OF_DEBUG if settings.DEBUG else ())
    return host if validate_host(host, ours) else ""


def _declared(names: tuple[str, ...], kwargs: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: clean(str(kwargs[name]), KWARG_LIMIT) for name in names if name in kwargs
    }


def loaded_user(request: HttpRequest) -> tuple[str, bool]:
    """Id and staff flag of the user, if somebody has loaded it; never loads it.

    A login and a logout change ``user``, and leave what was loaded before.
    """
    known = request.__dict__
    user = known.get("user")
    if isinstance(user, LazyObject):
        # Not by the dot, for which a lazy object has a slow method of its own.
        user = object.__getattribute__(user, "_wrapped")
    if user is None or user is empty:
        user = known.get("_cached_user", known.get("_acached_user"))
    # A project may put anything there: a name, an account of a service.
    if user is None or not getattr(user, "is_authenticated", False):
        return "", False
    key = clean(str(getattr(user, "pk", "")), 64)
    return key, bool(getattr(user, "is_staff", False))


def is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether this is a view: HTML that somebody asked for to look at."""
    try:
        kind = response.headers["Content-Type"]
    except KeyError:
        kind = None
    return maker.is_page(request.method, response.status_code, kind, request.META)


def _note_exception(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    """Django is about to answer 500; the exception is still the current one."""
    error = sys.exc_info()[1]
    if request is not None and error is not None:
        setattr(request, _EXCEPTION, class_name(error))


got_request_exception.connect(_note_exception)
