"""Runs commands and tells what they cost."""

import os
import shutil
import statistics
import subprocess
import time


class Cost:
    """Wall and CPU seconds and the peak of resident memory (MiB) of one process."""

    def __init__(self, wall, cpu, memory):
        self.wall, self.cpu, self.memory = wall, cpu, memory


def run(command, stdout=subprocess.DEVNULL):
    """Runs one command to its end; a failure ends the benchmark."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=stdout)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed with status {status}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def total(costs):
    """Several commands, one after another, as one."""
    costs = list(costs)
    return Cost(sum(c.wall for c in costs), sum(c.cpu for c in costs), max(c.memory for c in costs))


def warm(folder):
    """Reads every file below a folder, so that all contenders find it in the page cache."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(parent, name), "rb", buffering=0) as file:
                while file.read(1 << 22):
                    pass


def fresh(folder):
    """An empty folder, with nothing left to write from before."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    os.sync()
    return folder


def interleaved(rounds, contenders):
    """Runs each contender once a round, so that a slow moment of the machine hits all of them.

    contenders: name -> function that returns a Cost. Returns name -> Cost of medians (memory: the maximum).
    """
    costs = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            costs[name].append(contender())
    return {
        name: Cost(
            statistics.median(c.wall for c in of), statistics.median(c.cpu for c in of), max(c.memory for c in of)
        )
        for name, of in costs.items()
    }


def wait_for_quiet(limit=0.3, patience=300):
    """Waits until nothing else runs on the machine; refuses to measure otherwise."""
    deadline = time.monotonic() + patience
    while os.getloadavg()[0] > limit:
        if time.monotonic() > deadline:
            raise SystemExit(f"the load is {os.getloadavg()[0]:.2f}, above {limit}: not a machine to measure on")
        time.sleep(5)
