"""From what was measured to what is read."""

import json
import math
import re
from statistics import median

from catalogue import NETWORKS
from contestants import CONTESTANTS
from figures import FIGURES, FIRST, GEOMETRIC_MEAN, Seen


def from_floor(told):
    """The floor's program tells least, median and p90 of its runs, which stand for them."""
    series = {name: [told[f"{name}_ms"][s] for s in ("min", "median", "p90")]
              for name in ("explain", "predict", "floor", "fused_floor")}
    return {"title": "fovea beside its bare convolutions, in one process", "runs": told["runs"],
            "batch": 1, "series_ms": series}


def compact_json(result):
    """Indented, but the lists of times on a line each."""
    text = json.dumps(result, indent=1)
    numbers = re.compile(r"\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]")
    return numbers.sub(lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text) + "\n"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def number(value, digits=3):
    """With `digits` significant digits, never in powers of ten."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def error_text(value):
    return "" if value is None else f"{value:.0e}"


def pooled(network):
    return Seen(network["rounds"], network["file_mib"])


def each_round(network):
    return [Seen([r], network["file_mib"]) for r in network["rounds"]]


def spread(network, of):
    values = [v for v in map(of, each_round(network)) if v is not None]
    return f" ({number(min(values))}-{number(max(values))})" if len(values) > 1 else ""


def figure_cell(figure, name, network):
    value = figure.of(pooled(network))
    target = figure.target(name)
    if value is None:
        return ""
    cell = number(value) + spread(network, figure.of)
    if target is None:
        return cell
    bound = f"{'at least' if figure.at_least else 'at most'} {target:g}"
    return f"{cell}, {bound}" if figure.met(name, value) else f"**{cell}**, {bound}"


def figures_table(networks):
    rows = []
    for figure in FIGURES:
        cells = [figure_cell(figure, name, network) for name, network in networks.items()]
        if any(cells):
            rows.append([figure.title, *cells])
    lines = table(["", *(NETWORKS[name].title for name in networks)], rows)
    firsts = [FIRST.of(pooled(network)) for network in networks.values()]
    if len(networks) == len(NETWORKS) and None not in firsts:
        mean = math.exp(sum(map(math.log, firsts)) / len(firsts))
        verdict = "" if mean <= GEOMETRIC_MEAN else ", missed"
        lines += ["", f"Geometric mean of the first row: {mean:.3f} (at most {GEOMETRIC_MEAN}"
                  f"{verdict})."]
    return lines


def contestant_rows(name, network):
    """A row per series of each contestant; failures last."""
    seen = pooled(network)
    rows, failures = [], []
    for contestant in CONTESTANTS:
        errors = [r[contestant]["error"] for r in network["rounds"]
                  if "error" in r.get(contestant, {})]
        failures += [f"{contestant} failed: {error}" for error in errors[:1]]
        results = seen.results(contestant)
        if not results:
            continue
        agreement = network["agreement"].get(contestant, {})
        for i, series in enumerate(results[0]["series_ms"]):
            def against_fovea(s, series=series, contestant=contestant):
                mine, base = s.time(contestant, series), s.time("fovea", "explain")
                return mine / base if mine and base else None

            times = seen.times(contestant, series)
            of_process = i == 0 and "create_ms" in results[0]
            of_map = agreement if series == "explain" else {}
            rows.append([
                f"{contestant}: {series}", number(min(times)), number(median(times)),
                number(against_fovea(seen)) + spread(network, against_fovea),
                number(of_map.get("pearson_least"), 5), error_text(of_map.get("max_error")),
                number(seen.value(contestant, "load_ms", "create_ms")) if of_process else "",
                number(seen.value(contestant, "first_ms")) if of_process else "",
                number(seen.value(contestant, "added_mib")) if of_process else "",
                str(sum(r["runs"] for r in results) if "runs" in results[0] else len(times)),
            ])
    return rows, failures


def network_section(name, network):
    rows, failures = contestant_rows(name, network)
    header = ["", "min, ms", "median, ms", "median / fovea's explain (rounds)",
              "Pearson, least", "map error, most", "load + create, ms", "first run, ms",
              "added MiB", "runs"]
    lines = [f"## {NETWORKS[name].title}", "", f"Model file: {network['file_mib']:.1f} MiB.", ""]
    lines += table(header, rows)
    return lines + [line for failure in failures for line in ("", failure + ".")]


def versions(result):
    found = {}
    for network in result["networks"].values():
        for measured in network["rounds"]:
            for name, told in measured.items():
                if told.get("version"):
                    found[name] = told
    lines = []
    for name in (n for n in CONTESTANTS if n in found and "-batch" not in n):
        told = found[name]
        extra = f", oneDNN {told['onednn']}, {told['compiler']}" if "onednn" in told else ""
        lines.append(f"- {name}: {told['title']}, {told['version']}{extra}")
    return lines


def heading(result, title):
    machine = result["machine"]
    return [
        f"# {title}, {result['date'][:10]}", "",
        f"{machine['cpu']} ({machine['cpu_family_model_stepping']}), {result['threads']} threads of"
        f" {machine['cpus']} CPUs, {machine['memory_gib']} GiB; {machine['system']}.",
        f"Instruction sets: {' '.join(machine['instruction_sets'])}.", "",
        f"    {result['command']}", "",
    ]


def markdown(result):
    lines = [
        *heading(result, "fovea and its peers"),
        f"Commit {result['commit']}. Each process in its turn, round by round; medians over all "
        "runs; in brackets the least and the largest round. What misses its target is bold. "
        "bench/compare/README.md says what is measured.", "",
        *versions(result), "",
        "## Against the targets", "", *figures_table(result["networks"]), "",
    ]
    for name, network in result["networks"].items():
        lines += [*network_section(name, network), ""]
    return "\n".join(lines)
