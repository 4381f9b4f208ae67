-- Printed from export. Put in the catalog and schema, and where the tables are.

CREATE TABLE snapshots (
  cluster_uid varchar,
  snapshot_sha256 varchar,
  path varchar,
  container varchar,
  size_bytes bigint,
  db_size_bytes bigint,
  integrity varchar,
  checks_grade varchar,
  revision bigint,
  compact_revision bigint,
  records bigint,
  live_keys bigint,
  other_keys bigint,
  revisions_per_second double,
  taken_from timestamp(6),
  taken_to timestamp(6),
  etcd_version varchar,
  kubernetes_version varchar,
  members array(varchar),
  alarms array(varchar),
  bump_markers array(bigint),
  etcd_prefixes array(varchar),
  other_prefixes array(varchar),
  encryption array(row(resource varchar, provider varchar, key_name varchar, value_count bigint, decrypted_count bigint)),
  unread_objects bigint,
  missing array(row(kind varchar, what varchar)),
  problems array(row(severity varchar, location varchar, what varchar, cost varchar)),
  current_sha256 varchar,
  prediction_refused varchar,
  schema_version bigint,
  tool_version varchar,
  cluster varchar,
  snapshot varchar
) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=snapshots', partitioned_by = ARRAY['cluster', 'snapshot']);
CALL system.sync_partition_metadata('SCHEMA', 'snapshots', 'ADD');

CREATE TABLE objects (
  cluster_uid varchar,
  snapshot_sha256 varchar,
  object_key varchar,
  resource varchar,
  api_version varchar,
  kind varchar,
  namespace varchar,
  name varchar,
  uid varchar,
  create_revision bigint,
  mod_revision bigint,
  version bigint,
  size_bytes bigint,
  written_from timestamp(6),
  written_to timestamp(6),
  created_at timestamp(6),
  deletion_timestamp timestamp(6),
  owner_kind varchar,
  owner_name varchar,
  owner_uid varchar,
  labels map(varchar, varchar),
  encoding varchar,
  problem varchar,
  cluster varchar,
  snapshot varchar
) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=objects', partitioned_by = ARRAY['cluster', 'snapshot']);
CALL system.sync_partition_metadata('SCHEMA', 'objects', 'ADD');

CREATE TABLE revisions (
  cluster_uid varchar,
  snapshot_sha256 varchar,
  revision bigint,
  sub_revision bigint,
  operation varchar,
  object_key varchar,
  resource varchar,
  namespace varchar,
  name varchar,
  create_revision bigint,
  version bigint,
  size_bytes bigint,
  written_from timestamp(6),
  written_to timestamp(6),
  cluster varchar,
  snapshot varchar
) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=revisions', partitioned_by = ARRAY['cluster', 'snapshot']);
CALL system.sync_partition_metadata('SCHEMA', 'revisions', 'ADD');

CREATE TABLE nodes (
  cluster_uid varchar,
  snapshot_sha256 varchar,
  name varchar,
  uid varchar,
  created_at timestamp(6),
  kubelet_version varchar,
  container_runtime_version varchar,
  os_image varchar,
  kernel_version varchar,
  architecture varchar,
  provider_id varchar,
  unschedulable boolean,
  ready varchar,
  allocatable_cpu_millis bigint,
  allocatable_memory_bytes bigint,
  allocatable_pods bigint,
  problem varchar,
  cluster varchar,
  snapshot varchar
) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=nodes', partitioned_by = ARRAY['cluster', 'snapshot']);
CALL system.sync_partition_metadata('SCHEMA', 'nodes', 'ADD');

CREATE TABLE pods (
  cluster_uid varchar,
  snapshot_sha256 varchar,
  namespace varchar,
  name varchar,
  uid varchar,
  node_name varchar,
  phase varchar,
  reason varchar,
  ready boolean,
  restarts bigint,
  created_at timestamp(6),
  started_at timestamp(6),
  deletion_timestamp timestamp(6),
  owner_kind varchar,
  owner_name varchar,
  owner_uid varchar,
  service_account varchar,
  mirror boolean,
  host_network boolean,
  requests_cpu_millis bigint,
  requests_memory_bytes bigint,
  problem varchar,
  cluster varchar,
  snapshot varchar
) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=pods', partitioned_by = ARRAY['cluster', 'snapshot']);
CALL system.sync_partition_metadata('SCHEMA', 'pods', 'ADD');

CREATE TABLE containers (
  cluster_uid varchar,
  snapshot_sha256 varchar,
  namespace varchar,
  pod_name varchar,
  pod_uid varchar,
  node_name varchar,
  name varchar,
  type varchar,
  image varchar,
  image_id varchar,
  state varchar,
  ready boolean,
  restarts bigint,
  cluster varchar,
  snapshot varchar
) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=containers', partitioned_by = ARRAY['cluster', 'snapshot']);
CALL system.sync_partition_metadata('SCHEMA', 'containers', 'ADD');

CREATE TABLE images (
  cluster_uid varchar,
  snapshot_sha256 varchar,
  image varchar,
  image_id varchar,
  namespace varchar,
  containers bigint,
  cluster varchar,
  snapshot varchar
) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=images', partitioned_by = ARRAY['cluster', 'snapshot']);
CALL system.sync_partition_metadata('SCHEMA', 'images', 'ADD');

CREATE TABLE predictions (
  cluster_uid varchar,
  snapshot_sha256 varchar,
  current_sha256 varchar,
  namespace varchar,
  name varchar,
  uid varchar,
  node_name varchar,
  outcome varchar,
  severity varchar,
  certainty varchar,
  rule varchar,
  heals varchar,
  flags array(varchar),
  reason varchar,
  cluster varchar,
  snapshot varchar
) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=predictions', partitioned_by = ARRAY['cluster', 'snapshot']);
CALL system.sync_partition_metadata('SCHEMA', 'predictions', 'ADD');

CREATE TABLE checks (
  cluster_uid varchar,
  snapshot_sha256 varchar,
  check_id varchar,
  check_group varchar,
  verdict varchar,
  reason varchar,
  action varchar,
  cluster varchar,
  snapshot varchar
) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=checks', partitioned_by = ARRAY['cluster', 'snapshot']);
CALL system.sync_partition_metadata('SCHEMA', 'checks', 'ADD');
