"""Runs commands and tells what they cost."""

import os
import re
import shutil
import statistics
import subprocess
import threading
import time

CORES = len(os.sched_getaffinity(0))


class Cost:
    """Wall and CPU seconds and the peak of resident memory (MiB) of one process and its children."""

    def __init__(self, wall, cpu, memory):
        self.wall, self.cpu, self.memory = wall, cpu, memory

    def __add__(self, other):
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory))


def high_water_mark(pid):
    """VmHWM of a process in KiB; what getrusage says includes the memory of whoever forked it."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))
    except (OSError, AttributeError):
        return 0


def run(command):
    """Runs one command to its end; a failure ends the benchmark."""
    peak = 0
    ended = threading.Event()

    def watch():
        nonlocal peak
        while not ended.wait(0.005):
            peak = max(peak, high_water_mark(process.pid))

    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    ended.set()
    watcher.join()
    process.returncode = status
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed with status {status}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak / 1024)


def warm(folder):
    """Reads every file below a folder, so that all contenders find it in the page cache."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(parent, name), "rb", buffering=0) as file:
                while file.read(1 << 22):
                    pass


def evict(path):
    """Takes a file out of the page cache."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def evict_all(folder):
    """Takes every file below a folder out of the page cache."""
    for parent, _, names in os.walk(folder):
        for name in names:
            evict(os.path.join(parent, name))


def fresh(folder):
    """An empty folder, with nothing left to write from before."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    os.sync()
    return folder


def size(folder):
    return sum(os.path.getsize(os.path.join(parent, name)) for parent, _, names in os.walk(folder) for name in names)


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
            statistics.median(cost.wall for cost in of),
            statistics.median(cost.cpu for cost in of),
            max(cost.memory for cost in of),
        )
        for name, of in costs.items()
    }


def wait_for_quiet(limit=0.3, patience=600):
    """Waits until nothing else runs on the machine; refuses to measure otherwise. Called before, not between the rows:
    the load of the one before would be seen as somebody else's."""
    deadline = time.monotonic() + patience
    while os.getloadavg()[0] > limit:
        if time.monotonic() > deadline:
            raise SystemExit(f"the load is {os.getloadavg()[0]:.2f}, above {limit}: not a machine to measure on")
        time.sleep(5)


def disk(folder):
    """Sequential rates of the disk below a folder, in MB/s: reading cold, and writing with fdatasync."""
    path = os.path.join(folder, "probe")
    block = os.urandom(1 << 20)
    started = time.monotonic()
    with open(path, "wb", buffering=0) as file:
        for _ in range(512):
            file.write(block)
        os.fdatasync(file.fileno())
    writing = time.monotonic() - started
    evict(path)
    started = time.monotonic()
    with open(path, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while file.read(1 << 20):
            pass
    reading = time.monotonic() - started
    os.remove(path)
    return {"read": round((512 << 20) / reading / 1e6), "write": round((512 << 20) / writing / 1e6)}
