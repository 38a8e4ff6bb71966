"""Stopped servers with sysbench tables, made by a real mysqld."""

import os
import shutil

from passes import Shard

# name -> (tables, rows of each); the last is 20,000 copies of one small table's file.
FULL = {"four": (4, 1_050_000), "one": (1, 4_200_000), "thousand": (1000, 100), "big": (1, 16_800_000),
        "twenty thousand": (20_000, 0)}
QUICK = {"four": (4, 250_000), "one": (1, 1_000_000), "thousand": (200, 100), "twenty thousand": (2000, 0)}


def make(name, quick, folder, program, mysql_root):
    """Makes a tablet folder with a data set; returns its path."""
    tables, rows = (QUICK if quick else FULL)[name]
    shard = Shard(folder, program, mysql_root)
    try:
        shard.start_primary()
        shard.sysbench(f"--tables={tables if rows else 1}", f"--table-size={rows or 100}", "--threads=2", "prepare")
        shard.sql("SET GLOBAL innodb_fast_shutdown = 0; SHUTDOWN")
        shard.server.wait()
    finally:
        shard.close()
    tablet = os.path.join(folder, "primary")
    if not rows:
        schema = os.path.join(tablet, "data", "vt_commerce")
        for number in range(2, tables + 1):
            shutil.copy(os.path.join(schema, "sbtest1.ibd"), os.path.join(schema, f"copy{number}.ibd"))
    return tablet
