/* doc_verification: mig.verification, an archive that was proved or not. */
#ifndef DOC_DOC_VERIFICATION_H
#define DOC_DOC_VERIFICATION_H

#include <stdint.h>

#include "doc/doc_backup.h"
#include "doc/doc_error.h"
#include "doc/part.h"
#include "doc/part_rehearsal.h"

/* One check: what was expected, what was found. */
struct doc_verification_check {
	char *name;
	char *expected;
	char *found;
	int passed;
};

struct doc_verification {
	char *tool;
	const char *result; /* passed, failed */
	const char *level; /* quick, default, deep */
	int64_t verified;
	char *path; /* NULL: a stream */
	struct part_archive *archive; /* NULL: did not get that far */
	char *id; /* of the backup; NULL likewise */
	int64_t created; /* 0 (null) likewise */
	struct wire_database *database; /* NULL likewise */
	struct shape_list checks;
	struct part_rehearsal *rehearsal; /* NULL: none was made */
	char *receipt; /* where it was written; NULL: it was not */
	int64_t duration_ms;
	struct doc_backup *backup; /* the document handed in; may be NULL */
	struct doc_error *error; /* why it failed; NULL: it passed */
};

extern const struct shape doc_verification_shape;
extern const struct shape doc_verification_check_shape;

#endif
