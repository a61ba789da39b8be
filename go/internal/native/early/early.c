//go:build cgo && !goat_nocore && linux && (linux || darwin) && (amd64 || arm64)

/* With glibc a constructor is given the words of main, and runs before Go starts. */

#include "../goat.h"

#ifdef __GLIBC__
__attribute__((constructor)) static void goat_early(int argc, char **argv)
{
	goat_toolexec(argc, (const char *const *)argv);
}
#endif
