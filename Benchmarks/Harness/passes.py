"""Whole passes of vtbackup on a real shard, beside what mysqld itself takes in the same run."""

import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

from measure import high_water_mark

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARD = '{"primary_alias": {"cell": "zone1", "uid": 101}, "is_primary_serving": true}'


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Shard:
    """A primary with the users of a tablet, a topology, a storage, and runs of vtbackup on them."""

    def __init__(self, folder, program, mysql_root):
        self.folder, self.program, self.mysql_root = folder, program, mysql_root
        self.server = None
        for name in ("v", "s", "topo/global/keyspaces/commerce/shards/0", "topo/zone1/tablets/zone1-0000000101"):
            os.makedirs(os.path.join(folder, name))
        self.write("topo/global/keyspaces/commerce/shards/0/Shard", SHARD)
        if os.getuid() == 0:
            os.chown(os.path.join(folder, "v"), 65534, 65534)

    def write(self, path, text):
        with open(os.path.join(self.folder, path), "w") as file:
            file.write(text)

    def start_primary(self):
        """A primary made from an initial backup, so that its users are those of a tablet."""
        self.run("--init-keyspace=seed", "--initial-backup")
        primary = os.path.join(self.folder, "primary")
        self.run("--init-keyspace=seed", f"--restore-to={primary}")
        port = free_port()
        self.write("primary/my.cnf", f"""[mysqld]
datadir={primary}/data
innodb_data_home_dir={primary}/innodb/data
innodb_log_group_home_dir={primary}/innodb/logs
log-error={primary}/error.log
log-bin={primary}/bin-logs/bin
socket={primary}/mysql.sock
pid-file={primary}/mysql.pid
secure-file-priv=NULL
port={port}
bind-address=127.0.0.1
server-id=101
gtid_mode=ON
enforce_gtid_consistency
mysqlx=0
innodb_flush_log_at_trx_commit=0
sync_binlog=0
""")
        launcher = ["setpriv", "--pdeathsig", "KILL"]
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "65534:65534", primary], check=True)
            launcher += ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
        self.server = subprocess.Popen(launcher + [f"{self.mysql_root}/sbin/mysqld", f"--defaults-file={primary}/my.cnf"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                self.sql("select 1")
                break
            except subprocess.CalledProcessError:
                time.sleep(0.1)
        self.sql("RESET BINARY LOGS AND GTIDS; CREATE DATABASE vt_commerce")
        self.write("topo/zone1/tablets/zone1-0000000101/Tablet", json.dumps({
            "alias": {"cell": "zone1", "uid": 101}, "keyspace": "commerce", "shard": "0", "type": "PRIMARY",
            "mysql_hostname": "127.0.0.1", "mysql_port": port}))

    def alias(self, keyspace):
        """A topology in which this keyspace's primary is the same server; returns its global root."""
        root = os.path.join(self.folder, "topo-" + keyspace)
        if not os.path.exists(root):
            shutil.copytree(os.path.join(self.folder, "topo"), root)
            os.rename(f"{root}/global/keyspaces/commerce", f"{root}/global/keyspaces/{keyspace}")
            path = f"{root}/zone1/tablets/zone1-0000000101/Tablet"
            with open(path) as file:
                tablet = json.load(file)
            with open(path, "w") as file:
                json.dump(tablet | {"keyspace": keyspace}, file)
        return f"{root}/global"

    def sql(self, statement):
        return output(f"{self.mysql_root}/bin/mysql", "--no-defaults", "-S", f"{self.folder}/primary/mysql.sock", "-u", "vt_dba", "-BN", "-e", statement)

    def sysbench(self, *arguments):
        output("sysbench", "oltp_read_write", "--db-driver=mysql", f"--mysql-socket={self.folder}/primary/mysql.sock",
               "--mysql-user=vt_dba", "--mysql-db=vt_commerce", *arguments)

    def run(self, *arguments):
        """Runs vtbackup; returns wall seconds, VmHWM in MiB and its log."""
        command = [self.program, "--init-keyspace=commerce", "--init-shard=0", "--backup-storage-implementation=file",
                   f"--file-backup-storage-root={self.folder}/s", "--topo-implementation=file",
                   f"--topo-global-root={self.folder}/topo/global", "--tablet-manager-protocol=mysql",
                   f"--mysql-port={free_port()}", "--logtostderr", *arguments]
        environment = dict(os.environ, VTDATAROOT=f"{self.folder}/v", VT_MYSQL_ROOT=self.mysql_root)
        with tempfile.TemporaryFile("w+") as log:
            started = time.monotonic()
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=log)
            peak = 0
            while process.poll() is None:
                peak = max(peak, high_water_mark(process.pid))
                time.sleep(0.002 if peak == 0 else 0.02)
            wall = time.monotonic() - started
            log.seek(0)
            text = log.read()
        if process.returncode != 0:
            sys.exit(f"vtbackup failed ({process.returncode}):\n{text[-3000:]}")
        return wall, peak / 1024, text

    def close(self):
        if self.server:
            self.server.kill()
            self.server.wait()


def moments(log, pattern):
    """Times of the log lines that match, in seconds."""
    times = []
    for line in log.splitlines():
        match = re.match(r"[IWEF]\d{4} (\d\d):(\d\d):(\d\d\.\d+) .*\] (.*)", line)
        if match and re.search(pattern, match.group(4)):
            times.append(int(match.group(1)) * 3600 + int(match.group(2)) * 60 + float(match.group(3)))
    return times


def between(log, begin, end):
    """Seconds spent between each line that matches `begin` and the next one that matches `end`."""
    total = 0
    ends = moments(log, end)
    for start in moments(log, begin):
        later = [moment for moment in ends if moment >= start]
        total += later[0] - start if later else 0
    return total


def measure_nothing(shard, quick):
    shard.run("--init-keyspace=idle", "--initial-backup")
    walls = [shard.run("--init-keyspace=idle", "--min-backup-interval=24h")[0] for _ in range(5 if quick else 20)]
    return {"wall_ms": round(statistics.median(walls) * 1000, 1), "bar_ms": 100}


def measure_idle(shard, quick):
    shard.sql("CREATE TABLE IF NOT EXISTS vt_commerce.small (id INT PRIMARY KEY); REPLACE INTO vt_commerce.small VALUES (1), (2)")
    shard.run("--allow-first-backup")
    rows = []
    for _ in range(2 if quick else 5):
        wall, _, log = shard.run("--min-retention-time=1s", "--min-retention-count=1")
        parts = {
            "start": between(log, r"^Mysqld\.Start", r"^mysqld is ready"),
            "stop": between(log, r"^Mysqld\.Shutdown", r"^mysqld has stopped"),
            "restore": between(log, r"^Restore: copying", r"^Restore: complete"),
            "copy": between(log, r"^Starting backup", r"^Backup successful"),
        }
        rows.append((wall - sum(parts.values()), wall, parts, len(moments(log, r"^Mysqld\.Start")), "initialize" in log))
    rows.sort(key=lambda row: row[0])
    outside, wall, parts, starts, initialised = rows[len(rows) // 2]
    return {"outside_s": round(outside, 2), "bar_s": 1.5, "wall_s": round(wall, 2), "mysqld_starts": starts, "bar_starts": 3,
            "initialised": initialised, **{name + "_s": round(value, 2) for name, value in parts.items()}}


def measure_memory(shard, quick):
    tables, rows = 4, 250_000 if quick else 1_050_000
    shard.sql("DROP DATABASE vt_commerce; CREATE DATABASE vt_commerce")
    shard.sysbench(f"--tables={tables}", f"--table-size={rows}", "--threads=2", "prepare")
    size = int(output("du", "-sb", f"{shard.folder}/primary/data/vt_commerce").split()[0])
    first = shard.run("--allow-first-backup")
    second = shard.run("--min-retention-time=1s", "--min-retention-count=1")
    target = f"{shard.folder}/restored"
    restore = shard.run(f"--restore-to={target}")
    shutil.rmtree(target)
    return {"data_MB": size // 1_000_000, "VmHWM_MiB": {"first pass": round(first[1]), "pass": round(second[1]), "restore": round(restore[1])},
            "bar_MiB": 256, "restore_s": round(restore[0], 1)}


def measure_gtid(shard, quick):
    program = os.path.join(output("swift", "build", "-c", "release", "--show-bin-path", cwd=ROOT, env=dict(os.environ, VTB_BENCHMARKS="1")).strip(), "gtid-benchmark")
    subprocess.run(["swift", "build", "-c", "release", "--product", "gtid-benchmark"], check=True, cwd=ROOT,
                   env=dict(os.environ, VTB_BENCHMARKS="1"), stdout=subprocess.DEVNULL)
    result = {}
    for count in (10_000, 100_000):
        text = output(program, "print", str(count)).strip()
        ours = min(float(output(program, "time", str(count))) for _ in range(3 if quick else 7))
        path = f"{shard.folder}/gtid.sql"
        with open(path, "w") as file:
            file.write(f"SET @a = '{text}'; SET @b = concat(@a, ',3e11fa47-71ca-11e1-9e33-c80aa9429562:1');\n")
            for _ in range(3 if quick else 7):
                file.write("SET @t = now(6); SET @r = gtid_subset(@a, @b); SELECT @r, timestampdiff(MICROSECOND, @t, sysdate(6));\n")
        with open(path) as file:
            lines = output(f"{shard.mysql_root}/bin/mysql", "--no-defaults", "--max-allowed-packet=64M", "-S",
                           f"{shard.folder}/primary/mysql.sock", "-u", "vt_dba", "-BN", stdin=file).split("\n")
        if not any(line.startswith("1\t") for line in lines):
            sys.exit(f"mysqld's answer: {lines[:3]}")
        theirs = min(int(line.split("\t")[1]) / 1e6 for line in lines if line.startswith("1\t"))
        result[f"{count}_ms"] = {"ours": round(ours * 1000, 2), "mysqld": round(theirs * 1000, 2), "ratio": round(ours / theirs, 2)}
    result["growth_100000_to_10000"] = round(result["100000_ms"]["ours"] / result["10000_ms"]["ours"], 1)
    result["bar_growth"], result["bar_ratio"] = 12, 1
    return result


def widen(backup, count):
    """Gives a backup `count` small files more, in a schema of their own which the server does not know."""
    path = os.path.join(backup, "MANIFEST")
    with open(path) as file:
        manifest = json.load(file)
    content = os.urandom(300)
    packed = gzip.compress(content)
    first, digits = len(manifest["FileEntries"]), format(zlib.crc32(packed), "08x")
    names = ["vt_many/db.opt", *(f"vt_many/a_table_of_very_many_{number}#p#p20261130.MYD" for number in range(count - 1))]
    for number, name in enumerate(names, first):
        manifest["FileEntries"].append({"Base": "Data", "Name": name, "Hash": digits, "ParentPath": ""})
        manifest["Extensions"]["Files"].append({"Size": len(content), "StoredSize": len(packed)})
        with open(os.path.join(backup, str(number)), "wb") as file:
            file.write(packed)
    with open(path, "w") as file:
        json.dump(manifest, file, indent=2)


def measure_many(shard, quick):
    count = 20_000 if quick else 200_000
    shard.run("--init-keyspace=many", "--allow-first-backup", "--topo-global-root=" + shard.alias("many"))
    folder = f"{shard.folder}/s/many/0"
    name = next(name for name in os.listdir(folder) if not name.startswith("."))
    widen(os.path.join(folder, name), count)
    shard.sql("CREATE DATABASE vt_something_new")
    listing = shard.run("--init-keyspace=many", "--list-backups")
    once = shard.run("--init-keyspace=many", "--min-retention-count=4", "--topo-global-root=" + shard.alias("many"))
    for day in range(2):
        later = os.path.join(folder, f"2001-01-0{day + 1}.000000.zone1-0000000101")
        os.makedirs(later)
        shutil.copy(os.path.join(folder, name, "MANIFEST"), later)
    listings = shard.run("--init-keyspace=many", "--list-backups")
    return {"files": count, "VmHWM_MiB": {"list one": round(listing[1]), "pass": round(once[1]), "list three": round(listings[1])},
            "bar_MiB": 256, "list_s": round(listing[0], 1), "pass_s": round(once[0], 1), "list_three_s": round(listings[0], 1)}


MEASURES = {"nothing": measure_nothing, "idle": measure_idle, "memory": measure_memory, "gtid": measure_gtid, "many": measure_many}
