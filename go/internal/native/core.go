//go:build cgo && !goat_nocore && (linux || darwin) && (amd64 || arm64)

package native

/*
#if __has_include("core_stamp.h")
#include "core_stamp.h"
#else
#error "the Rust core is not built: run `make core`, or build with -tags goat_nocore"
#define GOAT_CORE_SHA256 ""
#define GOAT_CORE_ABI 1
#endif

#include "goat.h"

#if GOAT_CORE_ABI != GOAT_ABI_VERSION
#error "the Rust core has another ABI than goat.h: run `make core`"
#endif

static const char *goat_core_stamp(void) { return GOAT_CORE_SHA256; }
*/
import "C"

import (
	"bytes"
	"unsafe"
)

// Run sends one request to the core and returns a copy of its answer. It may be
// called from any goroutine, any number of times at once.
func Run(request []byte) ([]byte, Status, error) {
	var out C.goat_buffer
	var data *C.uint8_t
	if len(request) > 0 {
		data = (*C.uint8_t)(unsafe.Pointer(&request[0]))
	}
	status := C.goat_run(data, C.size_t(len(request)), &out)
	defer C.goat_buffer_free(out)
	// Not C.GoBytes: its length is a C int.
	answer := bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(out.data)), int(out.len)))
	return answer, Status(status), nil
}

// Version is the core's version.
func Version() string { return C.GoString(C.goat_version()) }

// ABI is the number of the core's binary interface. The reference to goat_abi_v1
// makes a core of another number fail at link time.
func ABI() int {
	C.goat_abi_v1()
	return int(C.goat_abi_version())
}

// Stamp is the hash of the library that was linked in. Go's build cache does not
// see the library itself; this generated header is what makes it relink.
func Stamp() string { return C.GoString(C.goat_core_stamp()) }
