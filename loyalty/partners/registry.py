"""Which points partners there are. The only module that names one."""

from collections.abc import Callable, Mapping
from typing import Final

from core.providers import Misconfigured
from loyalty.partners.base import PointsPartner
from loyalty.partners.points_bridge import PointsBridge

PARTNERS: Final[Mapping[str, Callable[[float], PointsPartner]]] = {
    PointsBridge.slug: PointsBridge.from_settings,
}


def get_points_partner(slug: str, *, answer_seconds: float = 10.0) -> PointsPartner:
    """The partner of that name, with a bound on each answer in seconds.

    Raises:
        Misconfigured: there is no such partner, or its settings are missing.
    """
    try:
        build = PARTNERS[slug]
    except KeyError:
        raise Misconfigured(slug, "no such partner; see loyalty/partners/registry.py") from None
    return build(answer_seconds)
