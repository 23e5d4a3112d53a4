/*
 * stop: a wish to end.  The program's signal handler calls stop_ask(); long
 * work looks at stop_asked() at its safe points and ends there with the truth
 * written down.
 */
#ifndef BASE_STOP_H
#define BASE_STOP_H

struct err;

/* Async-signal-safe. */
void stop_ask(int signal_number);

/* The signal that asked, or 0. */
int stop_asked(void);

/* Forget it, for what must still be done: a second signal asks again. */
void stop_forget(void);

/* 0, or -1 with e saying which signal interrupted the run. */
int stop_check(struct err *e);

#endif
