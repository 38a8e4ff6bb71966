-- status
SHOW ALL SLAVES STATUS;

-- start
START SLAVE;

-- stop
STOP SLAVE;

-- executed position
SELECT @@GLOBAL.gtid_binlog_pos;

-- purged position
(none);

-- server uuid
(none);

-- reset, no semi-sync
STOP SLAVE;
RESET SLAVE ALL;
RESET MASTER;
SET GLOBAL gtid_slave_pos = '';

-- reset, source names
STOP SLAVE;
RESET SLAVE ALL;
RESET MASTER;
SET GLOBAL gtid_slave_pos = '';
SET GLOBAL rpl_semi_sync_source_enabled = false, GLOBAL rpl_semi_sync_replica_enabled = false;

-- reset, master names
STOP SLAVE;
RESET SLAVE ALL;
RESET MASTER;
SET GLOBAL gtid_slave_pos = '';
SET GLOBAL rpl_semi_sync_master_enabled = false, GLOBAL rpl_semi_sync_slave_enabled = false;

-- set position
RESET MASTER;
SET GLOBAL gtid_slave_pos = '0-1-1234,2-1-7';
SET GLOBAL gtid_binlog_state = '0-1-1234,2-1-7';

-- set source
CHANGE MASTER TO
  MASTER_HOST = 'db-1.example',
  MASTER_PORT = 3306,
  MASTER_USER = 'vt_repl''',
  MASTER_PASSWORD = 'it''s \\ "quoted"\\'', SOURCE_HOST = ''evil''; -- \npässwörd',
  MASTER_CONNECT_RETRY = 10,
  MASTER_USE_GTID = current_pos;

-- set source, TLS
CHANGE MASTER TO
  MASTER_HOST = 'db-1.example',
  MASTER_PORT = 3306,
  MASTER_USER = 'vt_repl''',
  MASTER_PASSWORD = 'it''s \\ "quoted"\\'', SOURCE_HOST = ''evil''; -- \npässwörd',
  MASTER_CONNECT_RETRY = 10,
  MASTER_SSL = 1,
  MASTER_SSL_CA = '/certs/it''s ca.pem',
  MASTER_SSL_CERT = '/certs/client.pem',
  MASTER_SSL_KEY = '/certs/key.pem',
  MASTER_USE_GTID = current_pos;
