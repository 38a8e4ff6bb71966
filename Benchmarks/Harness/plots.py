"""Draws a result of Scripts/bench: plots.py RESULT.json PREFIX"""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plot  # noqa: E402


def throughput(result, path):
    """Throughput of each row against what bare loops reach on all cores."""
    names, ours, peers = [], [], []
    for data, measured in result["copies"].items():
        for name, row in measured["rows"].items():
            peer = next(who for who in row if who.startswith("loops"))
            names.append(f"{name} ({data})")
            ours.append(row["ours"]["MB_s"])
            peers.append(row[peer]["MB_s"])
    figure, axes = plot.subplots(figsize=(10, 0.3 * len(names) + 1.5))
    places = range(len(names))
    axes.barh([place + 0.2 for place in places], peers, height=0.4, color="lightgray", label="bare loops on all cores")
    axes.barh([place - 0.2 for place in places], ours, height=0.4, color="steelblue", label="ours")
    axes.set_yticks(list(places), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("MB/s")
    axes.set_title(f"{result['machine']['processor']}, {result['machine']['cores']} cores, {result['at'][:10]}")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def footprint(result, path):
    """Time and memory against size and number of files."""
    figure, (time, memory) = plot.subplots(1, 2, figsize=(11, 4))
    for direction, color in (("backup", "steelblue"), ("restore", "darkorange")):
        for name, row in result["footprint"].items():
            label = direction if name == next(iter(result["footprint"])) else None
            time.scatter(row["MB"], row[direction]["s"], color=color, label=label)
            memory.scatter(row["files"], row[direction]["VmHWM_MiB"], color=color, label=label)
            if direction == "backup":
                time.annotate(name, (row["MB"], row[direction]["s"]), fontsize=8)
                memory.annotate(f"{name}, {row['MB']} MB", (row["files"], row[direction]["VmHWM_MiB"]), fontsize=8)
    time.set(xlabel="MB", ylabel="s", title="time against size")
    memory.axhline(256, color="gray", linestyle=":", label="promise")
    memory.set(xscale="log", xlabel="files", ylabel="VmHWM, MiB", title="memory against number of files", ylim=(0, 280))
    time.legend()
    memory.legend()
    figure.tight_layout()
    figure.savefig(path)


def main(source, prefix):
    with open(source) as file:
        result = json.load(file)
    if "copies" in result:
        throughput(result, prefix + "-throughput.png")
    if "footprint" in result:
        footprint(result, prefix + "-footprint.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
