/*
 * The smallest caller of goat's C ABI, and its smoke test: compiled with
 * -fsanitize=address,undefined it finds leaks, double frees and bad reads.
 *
 *   make core
 *   cc -Iinclude examples/c/smoke.c go/internal/native/lib/linux_amd64/libgoat.a \
 *      -lm -lpthread -ldl -o smoke && ./smoke [FILE.go]
 */
#include "goat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void expect(int condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "smoke: not true: %s\n", what);
    failures++;
  }
}

/* Whether an answer holds a text. It does not end with NUL, so no strstr. */
static int holds(goat_buffer answer, const char *text) {
  size_t length = strlen(text);
  for (size_t at = 0; at + length <= answer.len; at++) {
    if (memcmp(answer.data + at, text, length) == 0) {
      return 1;
    }
  }
  return 0;
}

static goat_status run(const char *request, goat_buffer *answer) {
  return goat_run((const uint8_t *)request, strlen(request), answer);
}

static void print(goat_buffer answer) {
  fwrite(answer.data, 1, answer.len, stdout);
  putchar('\n');
}

static void version(void) {
  goat_buffer answer;
  goat_abi_v1();
  expect(goat_abi_version() == GOAT_ABI_VERSION, "header and library have one ABI");
  expect(run("{\"format\":1,\"op\":\"version\"}", &answer) == GOAT_STATUS_OK, "version answers");
  expect(holds(answer, goat_version()), "the answer names the version");
  print(answer);
  goat_buffer_free(answer);
}

static void errors(void) {
  goat_buffer answer;
  goat_buffer zero = {0};
  expect(goat_run(NULL, 1, &answer) == GOAT_STATUS_ARGUMENT, "NULL with a length is refused");
  goat_buffer_free(answer);
  expect(goat_run(NULL, 0, &answer) == GOAT_STATUS_ERROR, "an empty request is an error");
  goat_buffer_free(answer);
  expect(goat_run((const uint8_t *)"x", 1, NULL) == GOAT_STATUS_ARGUMENT, "NULL out is refused");
  expect(run("{\"format\":1,\"op\":\"dance\"}", &answer) == GOAT_STATUS_ERROR, "an unknown operation");
  expect(holds(answer, "\"code\":\"bad_request\""), "errors have a code");
  goat_buffer_free(answer);
  expect(run("{\"format\":1,\"op\":\"plan\",\"dir\":\"/nonexistent\"}", &answer) == GOAT_STATUS_ERROR,
         "a plan of nothing is an error");
  expect(holds(answer, "\"hint\":"), "errors have a hint");
  goat_buffer_free(answer);
  goat_buffer_free(zero);
}

/* Room for a text as a JSON string: every byte may take six. */
static char *quoted(const char *text) {
  char *out = malloc(strlen(text) * 6 + 3);
  char *at = out;
  if (out == NULL) {
    exit(1);
  }
  *at++ = '"';
  for (; *text != '\0'; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte == '"' || byte == '\\') {
      *at++ = '\\';
      *at++ = (char)byte;
    } else if (byte < 0x20) {
      at += sprintf(at, "\\u%04x", byte);
    } else {
      *at++ = (char)byte;
    }
  }
  *at++ = '"';
  *at = '\0';
  return out;
}

static void inspect(const char *source) {
  static const char format[] = "{\"format\":1,\"op\":\"inspect\",\"source\":%s}";
  goat_buffer answer;
  char *text = quoted(source);
  size_t size = sizeof format + strlen(text);
  char *request = malloc(size);
  if (request == NULL) {
    exit(1);
  }
  snprintf(request, size, format, text);
  expect(run(request, &answer) == GOAT_STATUS_OK, "inspect answers");
  expect(holds(answer, "\"functions\""), "inspect lists functions");
  print(answer);
  goat_buffer_free(answer);
  free(request);
  free(text);
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  size_t length = 0;
  size_t room = 0;
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  do {
    if (length + 1 >= room) {
      room = room * 2 + 4096;
      text = realloc(text, room);
      if (text == NULL) {
        exit(1);
      }
    }
    length += fread(text + length, 1, room - length - 1, file);
  } while (!feof(file) && !ferror(file));
  text[length] = '\0';
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  version();
  errors();
  if (argc > 1) {
    char *source = read_file(argv[1]);
    inspect(source);
    free(source);
  } else {
    inspect("package m\n\nfunc F(n int) int {\n\tif n > 1 {\n\t\treturn n\n\t}\n\treturn 1\n}\n");
  }
  if (failures > 0) {
    return 1;
  }
  puts("smoke: ok");
  return 0;
}
