-- status
SHOW SLAVE STATUS;

-- start
START SLAVE USER = 'vt_repl''' PASSWORD = 'it''s \\ "quoted"\\'', SOURCE_HOST = ''evil''; -- \npässwörd';

-- stop
STOP SLAVE;

-- executed position
SELECT @@global.gtid_executed;

-- purged position
SELECT @@global.gtid_purged;

-- server uuid
SELECT @@global.server_uuid;

-- reset, no semi-sync
STOP SLAVE;
RESET SLAVE ALL;
RESET MASTER;

-- reset, source names
STOP SLAVE;
RESET SLAVE ALL;
RESET MASTER;
SET GLOBAL rpl_semi_sync_source_enabled = false, GLOBAL rpl_semi_sync_replica_enabled = false;

-- reset, master names
STOP SLAVE;
RESET SLAVE ALL;
RESET MASTER;
SET GLOBAL rpl_semi_sync_master_enabled = false, GLOBAL rpl_semi_sync_slave_enabled = false;

-- set position
RESET MASTER;
SET GLOBAL gtid_purged = '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:11-18';

-- set source
CHANGE MASTER TO
  MASTER_HOST = 'db-1.example',
  MASTER_PORT = 3306,
  MASTER_CONNECT_RETRY = 10,
  GET_MASTER_PUBLIC_KEY = 1,
  MASTER_AUTO_POSITION = 1;

-- set source, TLS
CHANGE MASTER TO
  MASTER_HOST = 'db-1.example',
  MASTER_PORT = 3306,
  MASTER_CONNECT_RETRY = 10,
  MASTER_SSL = 1,
  MASTER_SSL_CA = '/certs/it''s ca.pem',
  MASTER_SSL_CERT = '/certs/client.pem',
  MASTER_SSL_KEY = '/certs/key.pem',
  MASTER_AUTO_POSITION = 1;
