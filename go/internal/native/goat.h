/*
 * goat.h - the C ABI of goat
 *
 * Generated from rust/capi by `make header`; do not edit.
 *
 * What it is
 *
 *   One call, goat_run: a JSON request in, a JSON answer out. The operations and
 *   their fields are those of package goat for Go (github.com/goat-trace/goat/go):
 *
 *     plan        two revisions of a Go module -> points and the account of every
 *                 changed line; with "outDir" also the plan directory
 *     requirements  the same request -> what the base's go.mod files require, for
 *                 finding the upgraded modules of a plan's "deps"
 *     instrument  a Go source file and its part of a plan -> the rewritten source
 *     inspect     a Go source file -> its functions, blocks and statements
 *     files       two revisions and globs -> the texts of the files that match
 *     dump        goroutine dumps, crash texts, race reports and goroutine profiles ->
 *                 their goroutines sorted by cause and stack (docs/diagnostics.md)
 *     panics      crash texts, and what runtimes recorded of panics -> root causes
 *     profile     profiles of pprof -> what each function costs, and the share of the
 *                 change (docs/diagnostics.md)
 *     protobuf    two versions of .proto files -> what breaks those who use the older
 *                 (docs/check.md)
 *     track       a plan -> its points written into the sources, all files or none
 *     patch       does what +goat marks in the sources ask for
 *     clean       takes everything that goat wrote out of the sources
 *     recover     undoes what a killed track, patch or clean left behind
 *     version     -> {"version","commit","abi","planFormat"}
 *
 *   A request is an object with "format": 1 and "op"; a field that the operation
 *   does not know is refused. The plan's document is described in
 *   docs/plan-format.md. The smallest caller is examples/c/smoke.c.
 *
 * Threads
 *
 *   Every function may be called from any thread, any number of times at once. The
 *   library keeps no state between calls. The work runs on threads of the library's
 *   own with a stack of 8 MiB, so the caller's stack may be small.
 *
 * Memory
 *
 *   The request stays the caller's and is only read during the call. goat_run
 *   zeroes *out on entry (what it held is not freed) and then writes an answer on
 *   every path, result or error alike; there are no partial results. The caller
 *   owns the answer and frees it exactly once with goat_buffer_free; freeing a zero
 *   buffer is nothing. The answer does not end with NUL.
 *
 *   request may be NULL only if request_len is 0. Nothing else may be NULL.
 *
 * Errors
 *
 *   The status says how the call ended, and the answer is then
 *
 *     {"error":{"code","message","hint","path","causes"}}
 *
 *   code is a snake_case word that programs can rely on, message one sentence, hint
 *   what to do about it, path the file concerned, causes what lies underneath. There
 *   is no last-error and errno means nothing. A panic inside the library is caught
 *   and returned as GOAT_STATUS_PANIC; later calls work.
 *
 * Text
 *
 *   Requests and answers are UTF-8. Offsets are 0-based bytes, ranges half-open;
 *   lines are 1-based, columns 1-based bytes. A path in git that is not UTF-8 is
 *   reported in the account, never guessed.
 *
 * Following and stopping a plan
 *
 *   "controlFd" and "progressFd" are descriptors of the caller, -1 for none. End of
 *   file on controlFd (close the other end of a pipe) makes the call return the
 *   error "cancelled" soon after. Lines {"done","total","stage"} are written to
 *   progressFd; a reader that does not read for a second gets no more of them.
 *   Neither is closed, and neither is used after the call has returned.
 *
 * Versions
 *
 *   GOAT_ABI_VERSION is part of the symbol goat_abi_v1: a program that refers to it
 *   cannot be linked with a library of another number. Within one number fields are
 *   added, never renamed or dropped, and status numbers are never used again.
 *   Link statically: the library also holds libgit2 and tree-sitter, whose symbols
 *   are not part of this interface.
 */

#ifndef GOAT_H
#define GOAT_H

#include <stddef.h>
#include <stdint.h>

/**
 * Number of this binary interface, also in the name of `goat_abi_v1`.
 */
#define GOAT_ABI_VERSION 1

/**
 * What became of a call. The numbers are fixed for ever.
 */
typedef enum {
  /**
   * The answer is `{"result":...}`.
   */
  GOAT_STATUS_OK = 0,
  /**
   * The answer is `{"error":...}`: the request could not be carried out.
   */
  GOAT_STATUS_ERROR = 1,
  /**
   * The answer is `{"error":...}`: a defect of goat, please report it. The library
   * is still usable.
   */
  GOAT_STATUS_PANIC = 2,
  /**
   * The call broke the contract: `out` is NULL (then nothing is written), or
   * `request` is NULL or too long for its length.
   */
  GOAT_STATUS_ARGUMENT = 3,
} goat_status;

/**
 * Bytes that the library owns and the caller frees, once, with `goat_buffer_free`.
 *
 * Owning means the right and the duty to free exactly once. A buffer of length 0
 * has a NULL pointer and owns nothing.
 */
typedef struct {
  /**
   * First byte; NULL if `len` is 0. Not terminated by NUL.
   */
  uint8_t *data;
  /**
   * Number of bytes.
   */
  size_t len;
} goat_buffer;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The ABI number of the library, to compare with `GOAT_ABI_VERSION`.
 */
uint32_t goat_abi_version(void);

/**
 * Runs one request and writes its answer to `out`.
 *
 * `request` is JSON in UTF-8, `request_len` its length in bytes; `out` must not be
 * NULL. Whatever `out` held is overwritten, never freed; free the answer with
 * `goat_buffer_free`. Returns `GOAT_STATUS_OK` with `{"result":...}` in `out`, or
 * another status with `{"error":...}`.
 */
goat_status goat_run(const uint8_t *request, size_t request_len, goat_buffer *out);

/**
 * Frees what `goat_run` wrote, exactly once. Freeing a zero buffer does nothing.
 */
void goat_buffer_free(goat_buffer buffer);

/**
 * The version of the library, a static string that ends with NUL.
 */
const char *goat_version(void);

/**
 * Does nothing. A caller that refers to it cannot be linked with a library of
 * another ABI number: the linker names the missing symbol.
 */
void goat_abi_v1(void);

/**
 * The first thing that the helper (`goat toolexec`) may do in its process: executes
 * the tool where the command line says that it needs nothing of goat, and then does
 * not return. With `--timings` it runs the tool, notes what it took, and exits as it
 * did. Returns in all other cases, and for every other program, having done nothing.
 *
 * `count` and `words` are the arguments of `main`. To be called before the process has started
 * threads, or opened what its successor must not inherit. It allocates, and it reads
 * `TOOLEXEC_IMPORTPATH`, `GOAT_TOOLEXEC_LOG`, `GOAT_TIMINGS` and the plan directory.
 */
void goat_toolexec(int count,
                   const char *const *words);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GOAT_H */
