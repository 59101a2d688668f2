"""The four ways in which a gateway or partner does not do what we asked (ADR 0004)."""


class ProviderError(Exception):
    """A provider did not do what we asked. The subclass says what to do now."""

    def __init__(self, provider: str, message: str, *, raw_code: str = "") -> None:
        super().__init__(f"{provider}: {message}")
        self.provider = provider
        self.message = message
        self.raw_code = raw_code


class Declined(ProviderError):  # noqa: N818 - the names say what happened
    """A definite no (no stock, card refused). Asking again changes nothing."""


class Unavailable(ProviderError):  # noqa: N818
    """Certainly nothing happened (no connection, rate limit). Ask again later."""

    def __init__(
        self, provider: str, message: str, *, raw_code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(provider, message, raw_code=raw_code)
        self.retry_after = retry_after
        """Seconds the provider asked us to wait, if it said so."""


class OutcomeUnknown(ProviderError):  # noqa: N818
    """It may have happened. Look it up by our reference; never just ask again."""


class Misconfigured(ProviderError):  # noqa: N818
    """Our own fault (credentials, unknown offer). Tell an operator, do not retry."""
