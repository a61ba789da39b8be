package cli

import (
	"strings"

	"github.com/goat-trace/goat/go/internal/config"
)

// topicConfig explains goat.yaml from the same texts that `goat init` writes.
func topicConfig() string {
	var b strings.Builder
	b.WriteString(`goat.yaml stands in the module's root, or between it and the directory goat works in.
` + "`goat init`" + ` writes one; without it the defaults hold. An unknown key is an error.

`)
	for _, key := range config.Keys {
		b.WriteString("  " + key + "\n      " + strings.ReplaceAll(config.Comment(key), "\n", "\n      ") + "\n")
	}
	b.WriteString("  " + config.CheckKey + "\n      What `goat check` judges by (goat help check).\n")
	return strings.TrimRight(b.String(), "\n")
}
