"""postgresql.conf and pg_hba.conf, written at every start: they are part of the program, not of the data."""

from __future__ import annotations

import os
import string

from farthing.edges.postgres.cluster.directory import Site, read_end, replace_file

PORT = 5432
"""The end of the socket's name; there is no TCP."""

_LOCAL = "local.conf"
_HBA = "# Written by Farthing at every start.\nlocal all all scram-sha-256\n"
_CONFIGURATION = string.Template("""\
# Written by Farthing at every start; settings of your own belong into $local, which is read last.
listen_addresses = ''
unix_socket_directories = '.'
unix_socket_permissions = 0700
port = $port
max_connections = 64
cluster_name = 'farthing'

# Durability: a commit that was acknowledged survives. Throw-away clusters survive the death of processes only, not of the machine.
synchronous_commit = on
fsync = $durable
full_page_writes = $durable
# minimal: nothing here reads the WAL but crash recovery (backups are pg_dump's), and bulk loads into new tables skip it.
# Who needs replicas or point-in-time recovery runs a server of their own and gives its URL.
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
wal_compression = pglz
max_wal_size = $max_wal_size
checkpoint_timeout = 15min

# Sizes: modest beside the column kernel, which needs the memory more.
shared_buffers = $shared_buffers
effective_cache_size = 4GB
work_mem = 16MB
maintenance_work_mem = 256MB
max_parallel_workers_per_gather = 1
max_locks_per_transaction = 128
random_page_cost = 1.1
jit = off

timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'ISO, YMD'
lc_messages = 'C'
password_encryption = 'scram-sha-256'

# Logs: one file per weekday, overwritten after a week. A sign of life every second while it recovers.
logging_collector = on
log_directory = 'log'
log_filename = 'postgres-%a.log'
log_file_mode = 0600
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] %q%u@%d '
log_startup_progress_interval = 1s

include_if_exists = '$local'
""")


def configure(site: Site, durable: bool) -> None:
    """Bring the cluster's configuration up to date, and its ownership if root brought it back from a backup."""
    cluster = site.cluster
    if site.user is not None and site.group is not None and cluster.lstat().st_uid == 0:
        for path in (*cluster.rglob("*"), cluster):
            os.chown(path, site.user, site.group, follow_symlinks=False)
    sizes = {"shared_buffers": "256MB", "max_wal_size": "4GB"} if durable else {"shared_buffers": "128MB", "max_wal_size": "1GB"}
    configuration = _CONFIGURATION.substitute(sizes, port=PORT, local=_LOCAL, durable="on" if durable else "off")
    for path, text in ((cluster / "postgresql.conf", configuration), (cluster / "pg_hba.conf", _HBA)):
        if read_end(path) != text:
            replace_file(path, text)
    if not os.path.lexists(cluster / _LOCAL):
        replace_file(cluster / _LOCAL, "# Settings of your own: they win over postgresql.conf, and hold from the next start on.\n")
