"""One deliberate breakage."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    path: str
    before: str
    after: str
    tests: tuple[str, ...]

    @property
    def of_the_schema(self) -> bool:
        return "/migrations/" in self.path
