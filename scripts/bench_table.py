"""Tables of scripts/bench.sh: medians with their spread, beside a reference and a budget.

Invariants: a ratio is the median of the rounds' ratios, and its spread the interquartile range; a
budget is met only where the whole range is within it; where only a part of it is, the row is open
and falls short too.
"""

import argparse
import re
import statistics
from collections import namedtuple

# A figure of `bench_load.Run`, and the bound of its ratio to the reference.
Bound = namedtuple("Bound", "figure limit at_least")
RATE, CPU = Bound("rate", 1.0, True), Bound("cpu_us", 1.0, False)
P99, WORST = Bound("p99_ms", 1.2, False), Bound("worst_ms", None, False)
FORMS = {"rate": ("rate", "{:,.0f}/s"), "cpu_us": ("CPU", "{:,.1f} µs")}
FORMS |= {"p99_ms": ("p99", "{:.2f} ms"), "worst_ms": ("worst", "{:.1f} ms")}


def spread(values):
    """Lower quartile, median, upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def judge(quartiles, limit, at_least):
    low, _, high = quartiles
    if limit is None:
        return "met"
    if (low >= limit) if at_least else (high <= limit):
        return "met"
    return "**missed**" if ((high < limit) if at_least else (low > limit)) else "**open**"


class Table:
    """Rows, printed as Markdown as they come, and the names of those that fall short."""

    def __init__(self):
        self.short = []

    def head(self, *columns):
        print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)

    def line(self, *cells):
        print(f"| {' | '.join(cells)} |", flush=True)

    def compared_head(self):
        self.head("Workload", "the best nginx has", "rate", "CPU a request", "p99", "worst", "")

    def compared(self, name, runs, references, bounds=(RATE, CPU, P99, WORST), counts=True):
        """A row of runs beside those of each reference, in the same rounds. Each figure counts
        against the reference that has the best median of it."""
        cells, verdicts, best_names = [], [], []
        for bound in bounds:
            figure = bound.figure
            own = [getattr(run, figure) for run in runs]
            if None in own:
                cells.append("")
                continue
            choose = max if bound.at_least else min

            def median_of(reference):
                return statistics.median(getattr(run, figure) for run in references[reference])

            best = choose(references, key=median_of)
            best_names.append(best)
            others = [getattr(run, figure) for run in references[best]]
            quartiles = spread([one / max(other, 1e-9) for one, other in zip(own, others)])
            label, form = FORMS[figure]
            medians = f"{form.format(statistics.median(own))} : {form.format(median_of(best))}"
            low, middle, high = quartiles
            cells.append(f"{medians} = {middle:.2f} ({low:.2f} to {high:.2f})")
            verdict = judge(quartiles, bound.limit, bound.at_least)
            if verdict != "met":
                verdicts.append(f"{label} {verdict}")
                if counts:
                    self.short.append(f"{name} ({label} {middle:.2f})")
        kinds = "; ".join(dict.fromkeys(best_names))
        self.line(name, kinds, *cells, ", ".join(verdicts) or "met")

    def budget_head(self):
        self.head("Measured", "this server", "reference", "ratio", "budget", "")

    def budget(self, name, form, values, references=None, limit=None):
        """A row of values, or of their ratios to references of the same rounds; `limit`: the most
        that either may be."""
        own = form.format(statistics.median(values))
        judged, reference, ratio = values, "", ""
        if references:
            judged = [one / other for one, other in zip(values, references)]
            reference = form.format(statistics.median(references))
        low, middle, high = spread(judged)
        if references:
            ratio = f"{middle:.2f} ({low:.2f} to {high:.2f})"
        elif len(values) > 1:
            own += f" ({form.format(low)} to {form.format(high)})"
        verdict = judge((low, middle, high), limit, at_least=False)
        bound = "" if limit is None else f"≤ {limit if references else form.format(limit)}"
        self.line(name, own, reference, ratio, bound, verdict)
        if verdict != "met":
            self.short.append(name)

    def conclude(self):
        """One line that names the rows that fall short."""
        found = "; ".join(self.short)
        print(f"\n{len(self.short)} fall short: {found}" if found else "\nEvery budget is met.")


def parse_options(script, description, add=lambda parser: None):
    """What a script that measures takes: the server's program, and how much to measure."""
    parser = argparse.ArgumentParser(prog=script, description=description)
    parser.add_argument("binary", help=argparse.SUPPRESS)
    number = {"type": int, "metavar": "N"}
    parser.add_argument(
        "--rounds", default=5, help="rounds of what is measured (default 5)", **number
    )
    parser.add_argument(
        "--seconds", default=2, help="length of each measured run (default 2)", **number
    )
    add(parser)
    return parser.parse_args()


def chosen(rows, name):
    """Whether a row is among those that `--rows` names."""
    return re.search(rows, name) is not None
