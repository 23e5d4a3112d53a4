/* sha256: SHA-256 by libcrypto. */
#include "codec/sha256.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

struct sha256 {
	EVP_MD_CTX *ctx;
};

/* Fetched once: EVP_sha256() would look the algorithm up at every use. */
static EVP_MD *algorithm;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (algorithm == NULL)
		abort();
}

static void
begin(struct sha256 *h)
{
	if (EVP_DigestInit_ex2(h->ctx, algorithm, NULL) != 1)
		abort();
}

struct sha256 *
sha256_new(void)
{
	struct sha256 *h = mem_alloc(sizeof(*h));

	pthread_once(&once, fetch);
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL)
		abort();
	begin(h);
	return h;
}

void
sha256_add(struct sha256 *h, const void *p, size_t n)
{
	if (EVP_DigestUpdate(h->ctx, p, n) != 1)
		abort();
}

void
sha256_add_text(struct sha256 *h, const char *s)
{
	sha256_add(h, s, strlen(s) + 1);
}

void
sha256_end(struct sha256 *h, unsigned char out[SHA256_BYTES])
{
	if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		abort();
	begin(h);
}

void
sha256_end_text(struct sha256 *h, char out[SHA256_TEXT])
{
	unsigned char bytes[SHA256_BYTES];

	sha256_end(h, bytes);
	num_hex(bytes, sizeof(bytes), out);
}

void
sha256_free(struct sha256 *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void
sha256_of(const void *p, size_t n, char out[SHA256_TEXT])
{
	struct sha256 *h = sha256_new();

	sha256_add(h, p, n);
	sha256_end_text(h, out);
	sha256_free(h);
}
