/* id: random names.  32 lower-case hex digits from the system's generator. */
#ifndef BASE_ID_H
#define BASE_ID_H

#define ID_TEXT 33

struct err;

/* Fill out with a new id; -1 with ERR_ENV if there is no randomness. */
int id_new(char out[ID_TEXT], struct err *e);

#endif
