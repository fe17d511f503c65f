// Package gatestore keeps the rollouts of package webhookgate: in memory for tests,
// in a file for one replica, in PostgreSQL for several.
//
// # Which one
//
// [NewMemory] forgets everything when the process ends.
//
// [OpenBolt] keeps everything in one file, in transactions that are on the disk
// before a look is answered. One process has the file at a time. Copy it while the
// process is down, or take a backup of the volume.
//
// [OpenPostgres] works on a *[database/sql.DB] of any driver whose errors have a
// method SQLState; it needs a server with settings that do not lose what it has
// committed (fsync and synchronous_commit on). Looks of one rollout take turns at its
// row; different rollouts do not wait for each other. The tables are
//
//	rampguard_rollout  a row for each rollout: its policy, the number of looks
//	rampguard_record   a row for each look: id, digest of the request, the verdict
//	rampguard_blob     evidence and policies by digest
//	rampguard_owner    which revision a rollout belongs to
//
// Nothing is ever changed or deleted. A look stores as much as its snapshots have
// bytes, unless they were stored before; the size does not depend on the number of
// rows of the logs.
package gatestore
