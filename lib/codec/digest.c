/* digest: checksums of other tools, by libcrypto and zlib. */
#include "codec/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/num.h"

static void
digest(const char *name, const void *p, size_t n, size_t size, char *out)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	size_t length;

	if (EVP_Q_digest(NULL, name, NULL, p, n, bytes, &length) != 1 ||
		length != size)
		abort();
	num_hex(bytes, length, out);
}

void
digest_sha1(const void *p, size_t n, char out[DIGEST_SHA1_TEXT])
{
	digest("SHA1", p, n, 20, out);
}

void
digest_sha384(const void *p, size_t n, char out[DIGEST_SHA384_TEXT])
{
	digest("SHA384", p, n, 48, out);
}

uint32_t
digest_crc32(uint32_t crc, const void *p, size_t n)
{
	return (uint32_t)crc32_z(crc, p, n);
}

uint64_t
digest_siphash13(const void *p, size_t n)
{
	static const unsigned char key[16];
	unsigned int compression = 1, finalization = 3;
	size_t size = 8, length, i;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS,
			&compression),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS,
			&finalization),
		OSSL_PARAM_construct_end(),
	};
	unsigned char bytes[16];
	uint64_t out = 0;

	if (EVP_Q_mac(NULL, "SIPHASH", NULL, NULL, params, key, sizeof(key),
		p, n, bytes, sizeof(bytes), &length) == NULL || length != size)
		abort();
	for (i = size; i > 0; i--)
		out = out << 8 | bytes[i - 1]; /* the lowest byte comes first */
	return out;
}
