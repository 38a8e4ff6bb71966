-- status
SHOW REPLICA STATUS;

-- start
START REPLICA USER = 'vt_repl''' PASSWORD = 'it''s \\ "quoted"\\'', SOURCE_HOST = ''evil''; -- \npässwörd';

-- stop
STOP REPLICA;

-- executed position
SELECT @@global.gtid_executed;

-- purged position
SELECT @@global.gtid_purged;

-- server uuid
SELECT @@global.server_uuid;

-- reset, no semi-sync
STOP REPLICA;
RESET REPLICA ALL;
RESET BINARY LOGS AND GTIDS;

-- reset, source names
STOP REPLICA;
RESET REPLICA ALL;
RESET BINARY LOGS AND GTIDS;
SET GLOBAL rpl_semi_sync_source_enabled = false, GLOBAL rpl_semi_sync_replica_enabled = false;

-- reset, master names
STOP REPLICA;
RESET REPLICA ALL;
RESET BINARY LOGS AND GTIDS;
SET GLOBAL rpl_semi_sync_master_enabled = false, GLOBAL rpl_semi_sync_slave_enabled = false;

-- set position
RESET BINARY LOGS AND GTIDS;
SET GLOBAL gtid_purged = '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:11-18';

-- set source
CHANGE REPLICATION SOURCE TO
  SOURCE_HOST = 'db-1.example',
  SOURCE_PORT = 3306,
  SOURCE_CONNECT_RETRY = 10,
  GET_SOURCE_PUBLIC_KEY = 1,
  SOURCE_AUTO_POSITION = 1;

-- set source, TLS
CHANGE REPLICATION SOURCE TO
  SOURCE_HOST = 'db-1.example',
  SOURCE_PORT = 3306,
  SOURCE_CONNECT_RETRY = 10,
  SOURCE_SSL = 1,
  SOURCE_SSL_CA = '/certs/it''s ca.pem',
  SOURCE_SSL_CERT = '/certs/client.pem',
  SOURCE_SSL_KEY = '/certs/key.pem',
  SOURCE_AUTO_POSITION = 1;
