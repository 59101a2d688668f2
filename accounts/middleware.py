"""How long a sign-in to the operators' site holds (ASVS 7.3.1, 7.3.2)."""

import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse

from core.logging import get_logger

log = get_logger(__name__)

BEGAN, SEEN = "began", "seen"
#: Written down no oftener than this, so that a page view costs no write.
NOTED_EVERY_SECONDS: Final = 60


class SessionLifeMiddleware:
    """Who has been idle for `ADMIN_IDLE`, or signed in for `SESSION_COOKIE_AGE`, signs in again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.COOKIES.get(settings.SESSION_COOKIE_NAME) and SESSION_KEY in request.session:
            self._look_at_the_clock(request)
        return self.get_response(request)

    def _look_at_the_clock(self, request: HttpRequest) -> None:
        session, now = request.session, int(time.time())
        began, seen = session.get(BEGAN, now), session.get(SEEN, now)
        idle = now - seen >= settings.ADMIN_IDLE.total_seconds()
        if idle or now - began >= settings.SESSION_COOKIE_AGE:
            log.info("session.ended", user_id=session[SESSION_KEY], idle=idle)
            logout(request)
        elif BEGAN not in session or now - seen >= NOTED_EVERY_SECONDS:
            session[BEGAN], session[SEEN] = began, now
