"""All mistakes of a configuration, gathered so that one run shows every one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class ConfigError(Exception):
    """The configuration cannot be used. `mistakes`: a line for each: where, what is wrong, what to write."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = list(mistakes)


class Mistakes:
    """Mistakes in the order they were found, each once."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, what: str) -> None:
        """Note that `what` is wrong at `where` ("clouds.gva.timeout")."""
        line = f"{where}: {what}" if where else what
        if line not in self.lines:
            self.lines.append(line)

    def raise_any(self) -> None:
        """Raise ConfigError when there is a mistake."""
        if self.lines:
            raise ConfigError(self.lines)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'did you mean "x"?' when one of the known words is near, else what may be written."""
    import difflib  # Only mistakes are worth what it takes to load.

    words = {each.lower(): each for each in sorted(known)}
    near = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{words[near[0]]}"?'
    return "known here: " + ", ".join(words.values()) + "."
