"""Passes of the real vtbackup and of ours in pairs, in a cluster of the real Vitess's programs."""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

from measure import high_water_mark, size, warm
from passes import free_port, output

NOBODY = 65534
CODECS = {"defaults": [], "zstd": ["--compression-engine-name=zstd"]}


def as_user(command):
    """Vitess refuses root, and both are to be the same user."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def processor_seconds(pid):
    """CPU of one process, without its children; `None` when it has ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields[0] != "Z" else None


class Cluster:
    """etcd, vtctld and a primary tablet, with tables to back up."""

    def __init__(self, folder, programs, mysql_root, etcd_root):
        self.folder, self.programs, self.mysql_root = folder, programs, mysql_root
        self.etcd, self.vtctld = free_port(), free_port()
        self.running = []
        self.data_root = self.own("v")
        self.environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
        self.environment |= {"VTDATAROOT": self.data_root, "VT_MYSQL_ROOT": mysql_root, "VTROOT": folder, "HOME": folder}
        self.topology = ["--topo-implementation=etcd2", f"--topo-global-server-address=127.0.0.1:{self.etcd}",
                         "--topo-global-root=/vitess/global"]
        self.etcd_program = os.path.join(etcd_root, "3.5", "bin", "etcd")

    def own(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
        return path

    @property
    def socket(self):
        return f"{self.data_root}/vt_0000000100/mysql.sock"

    def start(self, name, command, port):
        with open(os.path.join(self.folder, name + ".log"), "w") as log:
            process = subprocess.Popen(as_user(command), stdout=log, stderr=log, cwd=self.folder, env=self.environment)
        self.running.append(process)
        for _ in range(1200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        sys.exit(f"{name} does not come up: {open(os.path.join(self.folder, name + '.log')).read()[-2000:]}")

    def client(self, *words):
        return output(*as_user([f"{self.programs}/vtctldclient", f"--server=127.0.0.1:{self.vtctld}", *words]),
                      env=self.environment, cwd=self.folder)

    def sql(self, statement):
        return output(f"{self.mysql_root}/bin/mysql", "--no-defaults", "-S", self.socket, "-u", "vt_dba", "-BN", "-e", statement)

    def up(self):
        peer, grpc, mysql = free_port(), free_port(), free_port()
        storage = ["--backup-storage-implementation=file", f"--file-backup-storage-root={self.own('none')}"]
        self.start("etcd", [self.etcd_program, f"--data-dir={self.own('etcd')}", f"--listen-client-urls=http://127.0.0.1:{self.etcd}",
                            f"--advertise-client-urls=http://127.0.0.1:{self.etcd}", f"--listen-peer-urls=http://127.0.0.1:{peer}",
                            "--log-level=error"], self.etcd)
        self.start("vtctld", [f"{self.programs}/vtctld", *self.topology, *storage, "--cell=zone1", "--service-map=grpc-vtctl,grpc-vtctld",
                              f"--port={free_port()}", f"--grpc-port={self.vtctld}", "--logtostderr"], self.vtctld)
        self.client("AddCellInfo", "zone1", "--root=/vitess/zone1", f"--server-address=127.0.0.1:{self.etcd}")
        self.client("CreateKeyspace", "commerce", "--durability-policy=none")
        output(*as_user([f"{self.programs}/mysqlctl", "--tablet-uid=100", f"--mysql-port={mysql}", "--logtostderr", "init"]),
               env=self.environment, cwd=self.folder)
        self.start("vttablet", [f"{self.programs}/vttablet", *self.topology, *storage, "--tablet-path=zone1-0000000100",
                                "--tablet-hostname=127.0.0.1", "--init-keyspace=commerce", "--init-shard=0", "--init-tablet-type=replica",
                                f"--port={free_port()}", f"--grpc-port={grpc}", "--service-map=grpc-queryservice,grpc-tabletmanager",
                                "--logtostderr"], grpc)
        self.client("PlannedReparentShard", "commerce/0", "--new-primary=zone1-0000000100")
        for _ in range(200):
            try:
                self.sql("CREATE DATABASE IF NOT EXISTS vt_commerce")
                return
            except subprocess.CalledProcessError:  # the primary is not writable yet
                time.sleep(0.1)
        sys.exit("the primary takes no writes")

    def down(self):
        for process in reversed(self.running):
            process.kill()
            process.wait()
        try:
            server = int(open(f"{self.data_root}/vt_0000000100/mysql.pid").read())
            parent = int(open(f"/proc/{server}/stat").read().rpartition(")")[2].split()[1])
            if self.data_root in open(f"/proc/{parent}/cmdline").read():  # it would start the server again
                os.kill(parent, signal.SIGKILL)
            os.kill(server, signal.SIGKILL)
        except (OSError, ValueError):
            pass

    def run(self, program, storage, *flags):
        """Runs one pass; returns wall seconds, CPU seconds and VmHWM (MiB) of vtbackup itself, and the bytes it stored."""
        before = set(self.backups(storage))
        command = [program, *self.topology, "--backup-storage-implementation=file", f"--file-backup-storage-root={storage}",
                   "--init-keyspace=commerce", "--init-shard=0", f"--mysql-port={free_port()}", "--logtostderr", *flags]
        log_path = os.path.join(self.folder, "pass.log")
        with open(log_path, "w") as log:
            started = time.monotonic()
            process = subprocess.Popen(as_user(command), stdout=log, stderr=log, cwd=self.folder, env=self.environment)
            peak, cpu = 0, 0
            while process.poll() is None:
                peak = max(peak, high_water_mark(process.pid))
                cpu = processor_seconds(process.pid) or cpu
                time.sleep(0.01)
            wall = time.monotonic() - started
        new = [name for name in self.backups(storage) if name not in before]
        if process.returncode != 0 or len(new) != 1:
            sys.exit(f"{program} failed ({process.returncode}): {open(log_path).read()[-3000:]}")
        return wall, cpu, peak / 1024, size(os.path.join(storage, "commerce", "0", new[0])), new[0]

    @staticmethod
    def backups(storage):
        folder = os.path.join(storage, "commerce", "0")
        return [name for name in os.listdir(folder) if not name.startswith(".")] if os.path.isdir(folder) else []


def measure_pairs(quick, folder, ours, real, mysql_root, etcd_root):
    """Both start from the same backup in each round; the order changes from round to round."""
    cluster = Cluster(folder, os.path.dirname(real), mysql_root, etcd_root)
    result = {}
    try:
        cluster.up()
        output("sysbench", "oltp_read_write", "--db-driver=mysql", f"--mysql-socket={cluster.socket}", "--mysql-user=vt_dba",
               "--mysql-db=vt_commerce", "--tables=4", f"--table-size={100_000 if quick else 1_050_000}", "--threads=2", "prepare")
        for name, flags in CODECS.items():
            base_storage = cluster.own(f"base-{name}")
            base = cluster.run(real, base_storage, "--allow-first-backup", *flags)[4]
            costs = {"real": [], "ours": []}
            for round_number in range(1 if quick else 5):
                for who in ("real", "ours") if round_number % 2 == 0 else ("ours", "real"):
                    storage = cluster.own(f"{who}-{name}")
                    subprocess.run(as_user(["cp", "-a", os.path.join(base_storage, "commerce"), storage]), check=True)
                    warm(os.path.join(storage, "commerce", "0", base))
                    costs[who].append(cluster.run(real if who == "real" else ours, storage, *flags)[:4])
                    shutil.rmtree(storage)
            medians = {who: [statistics.median(cost[index] for cost in of) for index in range(4)] for who, of in costs.items()}
            result[name] = {
                what: {"real": round(medians["real"][index], 2), "ours": round(medians["ours"][index], 2),
                       "ratio": round(medians["real"][index] / max(medians["ours"][index], 0.001), 2)}
                for index, what in enumerate(["wall_s", "cpu_s", "VmHWM_MiB", "stored_bytes"])
            }
            shutil.rmtree(base_storage)
    finally:
        cluster.down()
    return result
