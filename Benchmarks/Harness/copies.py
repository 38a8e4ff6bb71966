"""The copy itself, both ways, beside bare loops in C and the field's own tools."""

import json
import os
import shutil
import statistics
import subprocess
import time
import zlib

from measure import CORES, disk, evict_all, fresh, interleaved, run, size, warm

HERE = os.path.dirname(os.path.abspath(__file__))
BACKUP = "bench/0/2026-01-01.000000.bench-0000000001"
ENGINES = {"gzip": "pargzip", "zstd": "zstd", "lz4": "lz4", "none": "none"}


class Copies:
    """Contenders on one tablet folder; everything they write lies in `work`."""

    def __init__(self, tablet, work, program, rounds):
        self.tablet, self.work, self.program, self.rounds = tablet, work, program, rounds
        self.loops = os.path.join(work, "loops")
        subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-o", self.loops, f"{HERE}/../Peers/loops.c", "-l:libisal.a",
                        "-l:libzstd.a", "-l:liblz4.a", "-lpthread"], check=True)
        self.source = os.path.join(work, "source")
        self.link_source()
        self.bytes = size(self.source)
        self.files = len(os.listdir(self.source))

    def link_source(self):
        """A folder with exactly the files that a backup holds, so that all read the same bytes."""
        self.back_up("none")
        shutil.rmtree(self.source, ignore_errors=True)
        os.makedirs(self.source)
        folders = {"InnoDBData": "innodb/data", "InnoDBLog": "innodb/logs", "Data": "data"}
        with open(f"{self.store('none')}/{BACKUP}/MANIFEST") as file:
            for index, entry in enumerate(json.load(file)["FileEntries"]):
                os.link(f"{self.tablet}/{folders[entry['Base']]}/{entry['Name']}", f"{self.source}/{index}")
        shutil.rmtree(self.store("none"))

    def store(self, codec):
        return os.path.join(self.work, f"store-{codec}")

    # Ours

    def back_up(self, codec):
        fresh(self.store(codec))
        return run([self.program, "backup", self.tablet, self.store(codec), ENGINES[codec], "1"])

    def backup(self, codec, cold=False):
        def contender():
            (evict_all if cold else warm)(self.source)
            return self.back_up(codec)
        return contender

    def restore(self, store, durable):
        def contender():
            warm(store)
            target = fresh(os.path.join(self.work, "restored"))
            os.rmdir(target)
            self.settle(durable)
            return run([self.program, "restore", target, store] + (["durable"] if durable else []))
        return contender

    @staticmethod
    def settle(durable):
        """Before a restore that is not synced: lets the machine give back the memory of the files just removed.

        A virtual machine does so after seconds, and who then writes first pays for getting it again: whoever is measured
        sooner after his own removal would be spared that. A restore finds memory that was long given back.
        """
        if not durable:
            time.sleep(4)

    # Peers

    def loop_backup(self, codec, writes=True, cold=False):
        def contender():
            (evict_all if cold else warm)(self.source)
            out = fresh(os.path.join(self.work, "out"))
            return run([self.loops, "backup", codec, str(CORES), self.source] + ([out] if writes else []))
        return contender

    def loop_restore(self, codec, durable):
        def contender():
            warm(self.store(codec))
            out = fresh(os.path.join(self.work, "out"))
            self.settle(durable)
            return run([self.loops, "restore", codec, str(CORES), f"{self.store(codec)}/{BACKUP}", out]
                       + (["fsync"] if durable else []))
        return contender

    def tool(self, command):
        """A compressor of the field on one file after another, synced at the end."""
        def contender():
            warm(self.source)
            out = fresh(os.path.join(self.work, "out"))
            script = f'for f in {self.source}/*; do {command} -c "$f" > {out}/"${{f##*/}}" || exit 1; done; sync -d {out}/*'
            return run(["sh", "-c", script])
        return contender

    # Foreign

    def write_as_vitess(self):
        """Our gzip backup without the extra field in its members, as Vitess's pargzip writes it."""
        target = self.store("vitess")
        fresh(f"{target}/{BACKUP}")
        source = f"{self.store('gzip')}/{BACKUP}"
        with open(f"{source}/MANIFEST") as file:
            manifest = json.load(file)
        manifest.pop("Extensions", None)
        for index, entry in enumerate(manifest["FileEntries"]):
            with open(f"{source}/{index}", "rb") as file, open(f"{target}/{BACKUP}/{index}", "wb") as out:
                crc = 0
                while header := file.read(24):
                    rest = file.read(int.from_bytes(header[16:20], "little") - 24)
                    member = b"\x1f\x8b\x08\0\0\0\0\0\x04\xff" + rest
                    crc = zlib.crc32(member, crc)
                    out.write(member)
            entry["Hash"] = f"{crc:08x}"
        with open(f"{target}/{BACKUP}/MANIFEST", "w") as file:
            json.dump(manifest, file)

    # Rows

    def rows(self):
        """Yields (row, contenders, the one that the bar compares with, bar)."""
        yield "backup gzip", {"ours": self.backup("gzip"), "loops": self.loop_backup("gzip"),
                              "pigz": self.tool("pigz -1 -p 2")}, {"loops": 0.88, "pigz": 2.8}
        yield "backup zstd", {"ours": self.backup("zstd"), "loops in memory": self.loop_backup("zstd", False),
                              "zstd -T2": self.tool("zstd -q -1 -T2")}, {"loops in memory": 0.8, "zstd -T2": 1}
        for codec in ("lz4", "none"):
            yield f"backup {codec}", {"ours": self.backup(codec), "loops": self.loop_backup(codec)}, {"loops": 0.8}
        yield "backup lz4, cold", {"ours": self.backup("lz4", cold=True),
                                   "loops": self.loop_backup("lz4", cold=True)}, {}
        for codec in ("gzip", "zstd", "lz4", "none"):
            for durable in (True, False):
                name = f"restore {codec}{', fsync' if durable else ''}"
                bars = {"loops": 0.8} if codec in ("gzip", "zstd") else {}
                yield name, {"ours": self.restore(self.store(codec), durable),
                             "loops": self.loop_restore(codec, durable)}, bars
        self.write_as_vitess()
        for durable in (True, False):
            yield f"restore Vitess's gzip{', fsync' if durable else ''}", {
                "ours": self.restore(self.store("vitess"), durable), "loops": self.loop_restore("gzip", durable)
            }, {"loops": 0.6 if self.files_that_matter() == 1 else 0.7}

    def files_that_matter(self):
        """Files with more than a tenth of all bytes."""
        sizes = [os.path.getsize(os.path.join(self.source, name)) for name in os.listdir(self.source)]
        return sum(1 for bytes in sizes if bytes > self.bytes / 10 and bytes > 200 << 20) or len(sizes)

    def measure(self):
        probe = disk(self.work)
        result = {"MB": round(self.bytes / 1e6), "files": self.files, "disk_MB_s": probe, "rows": {}}
        for name, contenders, bars in self.rows():
            costs = interleaved(self.rounds, contenders)
            row = {who: {"MB_s": round(self.bytes / cost.wall / 1e6), "cpu_s": round(cost.cpu, 2),
                         "VmHWM_MiB": round(cost.memory)} for who, cost in costs.items()}
            ours = costs["ours"]
            row["ratios"] = {who: round(cost.wall / ours.wall, 2) for who, cost in costs.items() if who != "ours"}
            row["bars"] = bars
            row["limit"] = self.limit(name, ours, probe)
            result["rows"][name] = row
            print(f"  {name}: ours {row['ours']}, ratios {row['ratios']}, bars {bars}, limited by {row['limit']}", flush=True)
        return result

    def limit(self, name, ours, probe):
        """Which of the machine's means was used up most; the disk is read in cold rows only."""
        codec = name.replace(",", "").split()[1]
        written = size(self.store(codec)) if name.startswith("backup") else self.bytes
        used = {"cores": ours.cpu / ours.wall / CORES, "disk write": written / ours.wall / 1e6 / probe["write"]}
        if name.endswith("cold"):
            used["disk read"] = self.bytes / ours.wall / 1e6 / probe["read"]
        return f"{max(used, key=used.get)} ({max(used.values()):.0%})"

    def footprint(self):
        """What one backup and one restore of this data cost by default."""
        backup, restore = self.backup("gzip")(), self.restore(self.store("gzip"), True)()
        return {"MB": round(self.bytes / 1e6), "files": self.files,
                "backup": {"s": round(backup.wall, 2), "VmHWM_MiB": round(backup.memory),
                           "ms_per_file": round(backup.wall * 1000 / self.files, 3)},
                "restore": {"s": round(restore.wall, 2), "VmHWM_MiB": round(restore.memory),
                            "ms_per_file": round(restore.wall * 1000 / self.files, 3)}, "bar_MiB": 256}

    def stop(self):
        """Milliseconds from the final failure of one object until everything has stopped; median and worst."""
        times = []
        for _ in range(2 * self.rounds + 1):
            warm(self.source)
            command = [self.program, "stop", self.tablet, fresh(self.store("stopped")), "pargzip", "1"]
            times.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        shutil.rmtree(self.store("stopped"))
        return {"median_ms": round(statistics.median(times), 1), "worst_ms": round(max(times), 1), "bar_ms": 100}
