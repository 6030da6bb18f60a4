"""
Requests that fail
==================

With Pyramid's own policies a login needs the headers of the response, so a
request that fails logs nobody in.  The tween keeps to that.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyramid.interfaces import IResponse
from pyramid.request import Request

from ...environ import CONTROL
from .. import attempt

TakeBack = Callable[[], bool]


def success_tween_factory(handler: Callable[[Request], Any], registry: Any
                          ) -> Callable[[Request], Any]:
    """
    A login counts if the request succeeds, as headers would.

    A request fails when an exception that is no response leaves it, whether
    or not an exception view makes a page of it.  What it changed of the
    visitor's ID and login is taken back; a log-out stands.
    """
    def tween(request: Request) -> Any:
        control = request.environ.get(CONTROL)
        take_back = _nothing_to_take_back if control is None else attempt(control)
        try:
            response = handler(request)
        except Exception as error:
            if not IResponse.providedBy(error):
                _fail(request, take_back, started_over=True)
            raise
        shown = getattr(request, 'exception', None)
        if shown is not None and not IResponse.providedBy(shown):
            _fail(request, take_back, started_over=_is_tried_again(request, shown))
        return response
    return tween


def _nothing_to_take_back() -> bool:
    """Without a filter in front, all ends with the request."""
    return False


def _fail(request: Request, take_back: TakeBack, started_over: bool) -> None:
    """``started_over``: what was not written to the session goes in any case."""
    started_over = take_back() or started_over
    session = vars(request).get('session')
    if started_over and hasattr(session, 'abandon'):
        del request.session
        session.abandon()


def _is_tried_again(request: Request, error: BaseException) -> bool:
    """Whether pyramid_retry is going to throw the response away."""
    if 'retry.attempt' not in request.environ:
        return False
    from pyramid_retry import is_error_retryable
    return bool(is_error_retryable(request, error))
