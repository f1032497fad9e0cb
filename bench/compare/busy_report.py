"""What was measured beside busy processes, to be read."""

import busy
from catalogue import NETWORKS
from report import heading, number, table

OURS = ("fovea", "fovea-library")
TARGETS = {"p50": 1.1, "p95": 1.3, "create": 3, "idle": 1.03, "once": 1.2}


def counts(result):
    found = {int(count) for network in result["networks"].values() for r in network["rounds"]
             for count in r}
    return sorted(found)


def text_of(found, digits=3):
    if found is None:
        return ""
    middle, least, largest = found
    return f"{number(middle, digits)} ({number(least, digits)}-{number(largest, digits)})"


def with_target(found, target):
    if found is None:
        return ""
    middle = number(found[0])
    cell = text_of(found).replace(middle, middle if found[0] <= target else f"**{middle}**", 1)
    return f"{cell}, at most {target:g}"


def times_text(count):
    return "idle" if count == 0 else f"beside {count}"


def rows_against_targets(result):
    """[title, {network: summary}, target] of every figure, in order."""
    every, rows = counts(result), []

    def add(title, target, of_round):
        found = {name: busy.summary(map(of_round, network["rounds"]))
                 for name, network in result["networks"].items()}
        if any(found.values()):
            rows.append((title, found, target))

    def explains(ours, count, figure):
        return lambda r: busy.ratio(busy.of_round(r, count, ours, "explain", figure),
                                    busy.faster_peer(r, count, figure))

    def creates(ours, count):
        return lambda r: busy.ratio(busy.create(r, count, ours), busy.create(r, 0, ours))

    def once(count):
        return lambda r: busy.ratio(busy.of_round(r, count, "fovea-once", "once", "p50"),
                                    busy.of_round(r, count, "onnxruntime-once", "once", "p50"))

    for ours in OURS:
        for count in every:
            for figure in ("p50", "p95"):
                add(f"{times_text(count)}, {ours}: {figure} of explain / of the faster peer's forward",
                    TARGETS[figure], explains(ours, count, figure))
    add("idle, fovea: p50 of explain / with libgomp's default policy", TARGETS["idle"],
        lambda r: busy.ratio(busy.of_round(r, 0, "fovea", "explain", "p50"),
                             busy.of_round(r, 0, "fovea-default", "explain", "p50")))
    for ours in OURS:
        for count in every:
            if count:
                add(f"{times_text(count)}, {ours}: making the explainer / the same idle",
                    TARGETS["create"], creates(ours, count))
    for count in every:
        add(f"{times_text(count)}: fovea predict, once / ONNX Runtime's load + run", TARGETS["once"],
            once(count))
    return rows


def targets_section(result):
    names = list(result["networks"])
    rows = [[title, *(with_target(found[name], target) for name in names)]
            for title, found, target in rows_against_targets(result)]
    return table(["", *(NETWORKS[name].title for name in names)], rows)


def network_section(name, network, every):
    rows = []
    of_rounds = network["rounds"]
    for count in every:
        seen = dict.fromkeys(c for r in of_rounds for c in r.get(str(count), {}))
        for contestant in seen:
            series = dict.fromkeys(
                s for r in of_rounds
                for part in ("figures_ms", "series_ms")
                for s in r.get(str(count), {}).get(contestant, {}).get(part, {}))
            for i, one in enumerate(series):
                def told(figure, count=count, contestant=contestant, one=one):
                    return busy.summary(busy.of_round(r, count, contestant, one, figure)
                                        for r in of_rounds)
                made = busy.summary(busy.create(r, count, contestant) for r in of_rounds)
                runs = sum(busy.of_round(r, count, contestant, one, "runs") or 0
                           for r in of_rounds)
                rows.append([f"{times_text(count)}, {contestant}: {one}",
                             *(text_of(told(figure)) for figure in ("min", "p50", "p95", "max")),
                             text_of(made) if i == 0 else "", str(runs)])
    header = ["", "min, ms", "p50, ms", "p95, ms", "max, ms", "create, ms", "runs"]
    failures = dict.fromkeys(
        f"{contestant} beside {count} failed: {told['error']}." for r in of_rounds
        for count, measured in r.items() for contestant, told in measured.items()
        if "error" in told)
    return ["", f"## {NETWORKS[name].title}", "", *table(header, rows),
            *(line for failure in failures for line in ("", failure))]


def versions(result):
    found = {}
    for network in result["networks"].values():
        for r in network["rounds"]:
            for measured in r.values():
                for contestant, told in measured.items():
                    if told.get("version"):
                        found.setdefault(contestant, told)
    lines = []
    for contestant, told in found.items():
        extra = f", oneDNN {told['onednn']}" if "onednn" in told else ""
        if "waiting" in told:
            extra += "".join(f", {name} {value}" for name, value in told["waiting"].items())
        lines.append(f"- {contestant}: {told['title']}, {told['version']}{extra}")
    return lines


def markdown(result):
    lines = [
        *heading(result, "fovea and its peers beside busy processes"),
        f"Commit {result['commit']}. Each process in its turn, beside so many processes that only "
        "count, on the same CPUs, round by round. Of each figure the median over the rounds, in "
        "brackets the least and the largest round. What misses its target is bold. "
        "bench/compare/README.md says what is measured.", "",
        *versions(result), "", "## Against the targets", "", *targets_section(result),
    ]
    for name, network in result["networks"].items():
        lines += network_section(name, network, counts(result))
    return "\n".join([*lines, ""])
