/* doc_status: mig.status. */
#include "doc/doc_status.h"

static const char *const receipts[] = { "none", "quick", "default", "deep",
	"stale", NULL };
static const char *const schemas[] = { "same", "changed", "unknown", NULL };

static const struct shape_field pending_fields[] = {
	SHAPE_AT(doc_status_pending, migration, TEXT),
	SHAPE_AT(doc_status_pending, name, TEXT),
	SHAPE_AT(doc_status_pending, file, TEXT),
	SHAPE_END,
};

const struct shape doc_status_pending_shape = { NULL, 0,
	sizeof(struct doc_status_pending), pending_fields };

static const char *const states[] = { "applied", "pending", "failed",
	"running", NULL };

static const struct shape_field node_fields[] = {
	SHAPE_AT(doc_status_node, migration, TEXT),
	SHAPE_AT(doc_status_node, name, TEXT),
	SHAPE_ONE_OF(doc_status_node, state, states),
	SHAPE_AT(doc_status_node, after, STRINGS),
	SHAPE_END,
};

const struct shape doc_status_node_shape = { NULL, 0,
	sizeof(struct doc_status_node), node_fields };

static const struct shape_field problem_fields[] = {
	SHAPE_AT(doc_status_problem, reason, TEXT),
	SHAPE_MAY(doc_status_problem, migration, TEXT),
	SHAPE_AT(doc_status_problem, text, TEXT),
	SHAPE_AT(doc_status_problem, next, TEXT),
	SHAPE_END,
};

const struct shape doc_status_problem_shape = { NULL, 0,
	sizeof(struct doc_status_problem), problem_fields };

static const struct shape_field backup_fields[] = {
	SHAPE_AT(doc_status_backup, path, TEXT),
	SHAPE_AT(doc_status_backup, id, ID),
	SHAPE_AT(doc_status_backup, created, TIME),
	SHAPE_AT(doc_status_backup, age_s, SIGNED),
	SHAPE_AT(doc_status_backup, bytes, INT),
	SHAPE_ONE_OF(doc_status_backup, receipt, receipts),
	SHAPE_AT(doc_status_backup, fresh, BOOL),
	SHAPE_MAY(doc_status_backup, why, TEXT),
	SHAPE_END,
};

const struct shape doc_status_backup_shape = { NULL, 0,
	sizeof(struct doc_status_backup), backup_fields };

static const struct shape_field event_fields[] = {
	SHAPE_AT(doc_status_event, at, TIME),
	SHAPE_AT(doc_status_event, event, TEXT),
	SHAPE_MAY(doc_status_event, migration, TEXT),
	SHAPE_AT(doc_status_event, by, TEXT),
	SHAPE_MAY(doc_status_event, backup, ID),
	SHAPE_MAY(doc_status_event, detail, TEXT),
	SHAPE_END,
};

const struct shape doc_status_event_shape = { NULL, 0,
	sizeof(struct doc_status_event), event_fields };

static const char *const triages[] = { "not-applied", "applied-up-to",
	"applied-unrecorded", "partly", NULL };

static const struct shape_field triage_fields[] = {
	SHAPE_AT(doc_status_triage, what, TEXT),
	SHAPE_ONE_OF(doc_status_triage, state, triages),
	SHAPE_MAY(doc_status_triage, statement, INT),
	SHAPE_AT(doc_status_triage, text, TEXT),
	SHAPE_AT(doc_status_triage, forward, TEXT),
	SHAPE_AT(doc_status_triage, back, TEXT),
	SHAPE_END,
};

const struct shape doc_status_triage_shape = { NULL, 0,
	sizeof(struct doc_status_triage), triage_fields };

static const struct shape_field fields[] = {
	SHAPE_AT(doc_status, tool, TEXT),
	SHAPE_OF(doc_status, database, PART, &wire_database_shape),
	SHAPE_AT(doc_status, folder, TEXT),
	SHAPE_AT(doc_status, format, TEXT),
	SHAPE_AT(doc_status, up_to_date, BOOL),
	SHAPE_AT(doc_status, ledger, BOOL),
	SHAPE_MAY(doc_status, current, TEXT),
	SHAPE_MAY(doc_status, head, TEXT),
	SHAPE_AT(doc_status, heads, STRINGS),
	SHAPE_AT(doc_status, applied, INT),
	SHAPE_OF(doc_status, pending, LIST, &doc_status_pending_shape),
	SHAPE_OF(doc_status, problems, LIST, &doc_status_problem_shape),
	SHAPE_AT(doc_status, ignored, STRINGS),
	SHAPE_ONE_OF(doc_status, schema, schemas),
	SHAPE_MAY_OF(doc_status, triage, OBJECT, &doc_status_triage_shape),
	SHAPE_MAY(doc_status, running, TEXT),
	SHAPE_MAY_OF(doc_status, backup, OBJECT, &doc_status_backup_shape),
	SHAPE_OF(doc_status, backups, LIST, &doc_status_backup_shape),
	SHAPE_OF(doc_status, history, LIST, &doc_status_event_shape),
	SHAPE_OF(doc_status, repairs, LIST, &part_repair_shape),
	SHAPE_OF(doc_status, graph, LIST, &doc_status_node_shape),
	SHAPE_END,
};

const struct shape doc_status_shape = { "mig.status", 1,
	sizeof(struct doc_status), fields };
