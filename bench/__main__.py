"""`python -m bench [PREFIX]`: a table for people on stderr, one JSON object per line on stdout."""

from __future__ import annotations

import sys

from rich.console import Console

from bench.registry import Result, all_benchmarks


def main() -> int:
    prefix = sys.argv[1] if len(sys.argv) > 1 else ""
    console = Console(stderr=True)
    chosen = [one for one in all_benchmarks() if one.chosen_by(prefix)]
    if not chosen:
        known = ", ".join(name for one in all_benchmarks() for name in one.names)
        console.print(f"No benchmark's name begins with “{prefix}”. There are: {known}.")
        return 2
    for one in chosen:
        console.print(f"[dim]measuring {', '.join(one.names)} …")
        for result in one.run():
            if result.name.startswith(prefix):
                report(console, result)
    return 0


def report(console: Console, result: Result) -> None:
    console.print(
        f"{result.name:<44} {result.value:>12.4g} {result.unit:<10}"
        f" against {result.reference:>12.4g}   ratio [bold]{result.ratio:.3f}"
    )
    print(result.line(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
