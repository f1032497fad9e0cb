"""What is read of a comparison of methods (run.py --methods)."""

from catalogue import NETWORKS
from figures import ratio
from methods import COMPARISONS, GRADIENT_TARGET, INPUT_GRADIENT, PEERS
from report import error_text, heading, number, pooled, spread, table


def from_input_gradient(told):
    """The program tells least, median and p90 of its runs, which stand for them."""
    series = {name: [told[f"{name}_ms"][s] for s in ("min", "median", "p90")]
              for name in ("predict", "gradient", "backward")}
    return {"title": "a gradient to the input beside a prediction, in one process", "batch": 1,
            "series_ms": series}


def with_target(value, network, of, target, at_least):
    if value is None:
        return ""
    cell = number(value) + spread(network, of)
    if target is None:
        return cell
    met = value >= target if at_least else value <= target
    return cell if met else f"**{cell}**"


def times_faster(comparison):
    return lambda seen: ratio(seen.time(comparison.key, "explain"),
                              seen.time(comparison.ours, "explain"))


def comparison_row(c, name, network):
    seen = pooled(network)
    agreement = network["agreement"].get(c.key, {})
    target = c.target_on(name)
    mine, theirs = (seen.times(key, "explain") for key in (c.ours, c.key))
    return [
        c.method + c.variant, f"{c.peer}: {c.theirs}", number(seen.time(c.ours, "explain")),
        number(seen.time(c.key, "explain")),
        with_target(times_faster(c)(seen), network, times_faster(c), target, at_least=True),
        "" if target is None else f"{target:g}", number(agreement.get("pearson_least"), 5),
        error_text(agreement.get("max_error")), error_text(agreement.get("error_of_999")),
        f"{len(mine)}, {len(theirs)}",
    ]


def network_section(name, network):
    header = ["", "peer", "fovea, ms", "peer, ms", "times faster (rounds)", "at least",
              "Pearson, least", "map error, most", "of 99.9 % of the pixels", "runs"]
    measured = {key for r in network["rounds"] for key in r}
    rows = [comparison_row(c, name, network) for c in COMPARISONS if c.key in measured]
    lines = [f"## {NETWORKS[name].title}", "", *table(header, rows)] if rows else []
    errors = {key: r[key]["error"] for r in network["rounds"] for key in r if "error" in r[key]}
    for key, error in errors.items():
        lines += ["", f"{key} failed: {error}."]
    return lines + [""] if lines else []


def gradient_ratio(seen):
    return ratio(seen.time(INPUT_GRADIENT, "gradient"), seen.time(INPUT_GRADIENT, "predict"))


def gradient_section(networks):
    rows = []
    for name, network in networks.items():
        seen = pooled(network)
        if gradient_ratio(seen) is not None:
            rows.append([NETWORKS[name].title, number(seen.time(INPUT_GRADIENT, "predict")),
                         number(seen.time(INPUT_GRADIENT, "gradient")),
                         with_target(gradient_ratio(seen), network, gradient_ratio,
                                     GRADIENT_TARGET, at_least=False), f"{GRADIENT_TARGET:g}"])
    if not rows:
        return []
    header = ["", "predict, ms", "gradient, ms", "ratio (rounds)", "at most"]
    return ["## A gradient to the input, in predictions", "", *table(header, rows), ""]


def versions(result):
    """A line per peer, and one of fovea."""
    found = {}
    for network in result["networks"].values():
        for measured in network["rounds"]:
            for key, told in measured.items():
                if "version" in told:
                    who = "fovea" if key.startswith("fovea:") else key.rpartition(":")[2]
                    found[who] = told
    lines = []
    for who in ("fovea", *PEERS):
        if who in found:
            told = found[who]
            extra = f", oneDNN {told['onednn']}, {told['compiler']}" if "onednn" in told else ""
            lines.append(f"- {who}: {told['version']}{extra}")
    return lines


def notes(result):
    measured = {key for network in result["networks"].values() for r in network["rounds"]
                for key in r}
    return [f"- {c.method}{c.variant}, {c.peer}: {c.note}." for c in COMPARISONS
            if c.note and c.key in measured]


def markdown(result):
    said = notes(result)
    lines = [
        *heading(result, "fovea's methods and the peers that have them"),
        f"Commit {result['commit']}. Each process in its turn, fovea's and the peer's, round by "
        "round; medians over all runs; in brackets the least and the largest round. What misses "
        "its target is bold. bench/compare/README.md says what is measured.", "",
        *versions(result), "",
    ]
    for name, network in result["networks"].items():
        lines += network_section(name, network)
    lines += gradient_section(result["networks"])
    return "\n".join(lines + ([*said, ""] if said else []))
