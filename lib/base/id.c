/* id: random names. */
#include "base/id.h"

#include <sys/random.h>

#include "base/err.h"
#include "base/num.h"

int
id_new(char out[ID_TEXT], struct err *e)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "read random bytes");
	num_hex(bytes, sizeof(bytes), out);
	return 0;
}
