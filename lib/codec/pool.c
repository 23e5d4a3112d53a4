/* pool: worker threads for blocks. */
#include "codec/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "codec/sha256.h"
#include "codec/zst.h"

struct pool {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	pthread_t *threads;
	int started;
	pool_work *work;
	void *arg;
	int level;
	size_t room_bytes;
	struct pool_slot *slots; /* all of them */
	int slot_n;
	struct pool_slot *free_list;
	struct pool_slot *queue, **queue_end;
	int busy; /* slots queued or being worked on */
	int ending;
	int failed;
	struct err err; /* of the first worker that failed */
};

static struct pool_slot *
next_job(struct pool *p)
{
	struct pool_slot *s;

	while (p->queue == NULL && !p->ending)
		pthread_cond_wait(&p->changed, &p->mutex);
	if (p->ending)
		return NULL;
	s = p->queue;
	p->queue = s->next;
	if (p->queue == NULL)
		p->queue_end = &p->queue;
	return s;
}

static void *
run(void *arg)
{
	struct pool *p = arg;
	struct pool_worker w;
	struct pool_slot *s;
	struct err e;

	err_clear(&e);
	w.zst = zst_new(p->level);
	w.sha256 = sha256_new();
	w.room = mem_room(p->room_bytes);
	pthread_mutex_lock(&p->mutex);
	while ((s = next_job(p)) != NULL) {
		int skip = p->failed, failed = 0;

		pthread_mutex_unlock(&p->mutex);
		if (!skip)
			failed = p->work(p->arg, &w, s, &e) == -1;
		pthread_mutex_lock(&p->mutex);
		if (failed && !p->failed) {
			p->failed = 1;
			p->err = e;
		}
		s->next = p->free_list;
		p->free_list = s;
		p->busy--;
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->mutex);
	free(w.room);
	sha256_free(w.sha256);
	zst_free(w.zst);
	return NULL;
}

int
pool_new(struct pool **out, int jobs, int level, size_t slot_bytes,
	size_t room_bytes, pool_work *work, void *arg, struct err *e)
{
	struct pool *p = mem_alloc(sizeof(*p));
	sigset_t all, old;
	int i, code = 0;

	*out = NULL;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->work = work;
	p->arg = arg;
	p->level = level;
	p->room_bytes = room_bytes;
	p->queue_end = &p->queue;
	p->slot_n = jobs + 2;
	p->slots = mem_array((size_t)p->slot_n, sizeof(*p->slots));
	for (i = 0; i < p->slot_n; i++) {
		p->slots[i].data = mem_room(slot_bytes);
		p->slots[i].next = p->free_list;
		p->free_list = &p->slots[i];
	}
	p->threads = mem_array((size_t)jobs, sizeof(*p->threads));
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (p->started < jobs && code == 0) {
		code = pthread_create(&p->threads[p->started], NULL, run, p);
		p->started += code == 0;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (code != 0) {
		errno = code;
		err_sys(e, "start a worker thread");
		pool_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

struct pool_slot *
pool_take(struct pool *p)
{
	struct pool_slot *s;

	pthread_mutex_lock(&p->mutex);
	while (p->free_list == NULL && !p->failed)
		pthread_cond_wait(&p->changed, &p->mutex);
	s = p->failed ? NULL : p->free_list;
	if (s != NULL)
		p->free_list = s->next;
	pthread_mutex_unlock(&p->mutex);
	return s;
}

void
pool_give(struct pool *p, struct pool_slot *s)
{
	pthread_mutex_lock(&p->mutex);
	s->next = NULL;
	*p->queue_end = s;
	p->queue_end = &s->next;
	p->busy++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->mutex);
}

int
pool_finish(struct pool *p, struct err *e)
{
	int failed;

	pthread_mutex_lock(&p->mutex);
	while (p->busy > 0)
		pthread_cond_wait(&p->changed, &p->mutex);
	failed = p->failed;
	if (failed)
		*e = p->err;
	pthread_mutex_unlock(&p->mutex);
	return failed ? -1 : 0;
}

void
pool_free(struct pool *p)
{
	int i;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mutex);
	p->ending = 1;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->mutex);
	for (i = 0; i < p->started; i++)
		pthread_join(p->threads[i], NULL);
	for (i = 0; i < p->slot_n; i++)
		free(p->slots[i].data);
	free(p->slots);
	free(p->threads);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

int
pool_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 64 ? 64 : (int)n;
}
