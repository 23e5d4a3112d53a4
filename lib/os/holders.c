/* holders: who has a file open. */
#include "os/holders.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/strs.h"

/* 1: it has the file open; 0: not; -1: could not look. */
static int
looks_at(const char *pid, dev_t dev, ino_t ino)
{
	char path[320];
	struct dirent *entry;
	struct stat st;
	DIR *d;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	if (d == NULL)
		return errno == ENOENT ? 0 : -1;
	while (!found && (entry = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "/proc/%s/fd/%.20s", pid,
			entry->d_name);
		found = stat(path, &st) == 0 && st.st_dev == dev &&
			st.st_ino == ino;
	}
	closedir(d);
	return found;
}

static void
add_name(struct strs *out, const char *pid)
{
	char path[64], name[64] = "?", text[160];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	f = fopen(path, "re");
	if (f != NULL) {
		if (fgets(name, sizeof(name), f) == NULL)
			snprintf(name, sizeof(name), "?");
		fclose(f);
	}
	name[strcspn(name, "\n")] = '\0';
	snprintf(text, sizeof(text), "%s (pid %.20s)", name, pid);
	strs_add(out, text);
}

int
holders_find(const char *path, struct strs *out, int *blind, struct err *e)
{
	struct dirent *entry;
	struct stat st;
	DIR *d;

	*blind = 0;
	if (stat(path, &st) == -1)
		return err_sys(e, "look at '%s'", path);
	d = opendir("/proc");
	if (d == NULL)
		return err_sys(e, "look for other processes in /proc");
	while ((entry = readdir(d)) != NULL) {
		const char *pid = entry->d_name;

		if (pid[0] < '1' || pid[0] > '9' || strtol(pid, NULL, 10) == getpid())
			continue;
		switch (looks_at(pid, st.st_dev, st.st_ino)) {
		case 1:
			add_name(out, pid);
			break;
		case -1:
			(*blind)++;
			break;
		}
	}
	closedir(d);
	return 0;
}

int
holders_lock(const char *path)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[256], kind[16];
	unsigned long long ino;
	struct stat st;
	int found = 0, pid;

	if (f != NULL && stat(path, &st) == 0)
		while (!found && fgets(line, sizeof(line), f) != NULL)
			found = sscanf(line, "%*s %15s %*s %*s %d %*[^:]:%*[^:]:%llu",
				kind, &pid, &ino) == 3 &&
				strcmp(kind, "FLOCK") != 0 && pid != getpid() &&
				ino == (unsigned long long)st.st_ino;
	if (f != NULL)
		fclose(f);
	return found;
}
