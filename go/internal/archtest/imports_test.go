package archtest

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/goat-trace/goat/go"

// rule is what one package may import besides the standard library.
type rule struct {
	// own are packages of this module; "." is the public package goat.
	own []string
	// others are path prefixes outside this module.
	others []string
	// std is the closed list of standard packages; nil allows all.
	std []string
}

var (
	cobra = []string{"github.com/spf13/cobra", "github.com/spf13/pflag"}
	yaml  = []string{"go.yaml.in/yaml/v3"}
	// The runtime lives in other people's programs: what it imports, they link.
	// (embed is in the file that hands out its own source and stays behind.)
	runtimeStd = []string{"embed", "errors", "os", "runtime", "strconv", "strings", "sync", "sync/atomic", "syscall", "time", "unsafe"}
	// Linked only where net/http is linked anyway.
	serverStd = []string{
		"bufio", "crypto/subtle", "encoding/binary", "errors", "io", "log", "net", "net/http", "net/textproto", "net/url", "os", "path", "path/filepath",
		"sort", "strconv", "strings", "sync", "sync/atomic", "syscall", "time", "unicode/utf8",
	}
	// Linked with --pprof only. Never net/http/pprof, which puts itself into every server.
	pprofStd = []string{
		"bytes", "compress/gzip", "context", "crypto/hmac", "crypto/sha256", "encoding/hex", "errors", "io", "net/http", "runtime", "runtime/debug",
		"runtime/pprof", "strconv", "strings", "sync", "sync/atomic", "syscall", "time",
	}
)

// policy names every package; a new one must be added here on purpose.
var policy = map[string]rule{
	".":                           {own: []string{"internal/native", "internal/plan", "internal/self"}},
	"cmd/goat":                    {own: []string{"internal/cli", "internal/native/early"}},
	"internal/archtest":           {},
	"internal/archtest/platforms": {},
	"internal/cli": {
		own: []string{
			".", "internal/child", "internal/config", "internal/diag", "internal/doctor", "internal/doors", "internal/gocmd", "internal/golist", "internal/hook",
			"internal/inplace", "internal/linked", "internal/plan", "internal/printable", "internal/prom", "internal/render", "internal/render/text", "internal/report", "internal/report/fleet", "internal/report/follow", "internal/report/source",
			"internal/gittext", "internal/page", "internal/render/html", "internal/ui", "internal/watch",
			"internal/gate", "internal/gate/checks", "internal/gate/checks/coverage", "internal/gate/checks/dump", "internal/gate/checks/panics", "internal/gate/serve", "internal/gate/settings",
			"internal/rtsource", "internal/self", "internal/spool", "internal/store", "internal/toolexec",
		},
		others: append([]string{"golang.org/x/term"}, cobra...),
	},
	"internal/gate":                 {own: []string{".", "internal/report"}},
	"internal/gate/ask":             {},
	"internal/gate/checks":          {own: []string{".", "internal/gate", "internal/gate/checks/compat", "internal/gate/checks/coverage", "internal/gate/checks/dump", "internal/gate/checks/health", "internal/gate/checks/metrics", "internal/gate/checks/panics", "internal/gate/checks/reload", "internal/gate/checks/route", "internal/gate/checks/slo", "internal/gate/checks/topology", "internal/gate/settings", "internal/report"}, others: yaml},
	"internal/gate/contract":        {own: []string{".", "internal/child", "internal/gate"}},
	"internal/gate/checks/compat":   {own: []string{".", "internal/gate", "internal/gate/contract", "internal/gate/settings"}, others: []string{"golang.org/x/mod/modfile", "golang.org/x/mod/module", "golang.org/x/mod/semver"}},
	"internal/gate/checks/dump":     {own: []string{".", "internal/gate", "internal/gate/diagnosed"}},
	"internal/gate/checks/panics":   {own: []string{".", "internal/gate", "internal/gate/diagnosed"}},
	"internal/gate/diagnosed":       {own: []string{".", "internal/gate"}},
	"internal/gate/checks/metrics":  {own: []string{".", "internal/gate", "internal/gate/ask", "internal/gate/contract"}},
	"internal/gate/checks/slo":      {own: []string{"internal/gate", "internal/gate/ask", "internal/prom"}},
	"internal/gate/checks/topology": {own: []string{"internal/child", "internal/gate", "internal/gate/ask", "internal/printable"}},
	"internal/gate/checks/reload":   {own: []string{".", "internal/child", "internal/gate", "internal/gate/ask", "internal/gate/flat"}},
	"internal/gate/flat":            {others: append([]string{"github.com/BurntSushi/toml", "github.com/joho/godotenv", "github.com/magiconair/properties"}, yaml...)},
	"internal/gate/serve":           {own: []string{"internal/gate", "internal/printable"}},
	"internal/child":                {},
	"internal/gate/checks/health":   {own: []string{"internal/gate", "internal/gate/ask"}},
	"internal/gate/checks/route":    {own: []string{"internal/gate", "internal/gate/ask", "internal/gate/settings"}},
	"internal/gate/checks/coverage": {own: []string{".", "internal/gate", "internal/gate/settings", "internal/report"}},
	"internal/gate/settings/settingstest": {
		own: []string{"internal/gate/settings"}, others: yaml,
	},
	"internal/gate/settings":  {own: []string{".", "internal/config"}, others: yaml},
	"internal/config":         {own: []string{".", "internal/gocmd", "internal/plan", "internal/store"}, others: yaml},
	"internal/diag":           {own: []string{".", "goatrt/pprof", "internal/diag/recorded", "internal/spool"}},
	"internal/diag/recorded":  {own: []string{".", "internal/printable"}},
	"internal/doctor":         {own: []string{".", "internal/child", "internal/doors", "internal/gocmd", "internal/plan", "internal/store", "internal/toolexec"}},
	"internal/doors":          {own: []string{".", "internal/config", "internal/gocmd", "internal/golist", "internal/hook", "internal/plan", "internal/printable", "internal/rtsource", "internal/store", "internal/toolexec"}, others: []string{"golang.org/x/sys/unix"}},
	"internal/gocmd":          {others: []string{"golang.org/x/sys/unix"}},
	"internal/golist":         {own: []string{".", "internal/gocmd", "internal/plan", "internal/store"}},
	"internal/hook":           {},
	"internal/lab/bench":      {own: []string{"internal/lab/pair"}},
	"internal/lab/oracle":     {own: []string{"internal/lab/pair", "internal/spool"}},
	"internal/lab/pair":       {},
	"internal/lab/script":     {others: []string{"github.com/rogpeppe/go-internal/testscript"}},
	"internal/lab/thirdparty": {own: []string{"internal/lab/pair"}},
	"internal/linked":         {},
	"internal/native":         {},
	"internal/native/early":   {own: []string{"internal/native"}},
	"internal/plan":           {own: []string{"internal/printable", "internal/store"}},
	"internal/store":          {},
	"internal/plan/plantest":  {own: []string{"internal/plan"}},
	"internal/render":         {own: []string{".", "internal/gate", "internal/printable", "internal/report"}, others: []string{"golang.org/x/text/width"}},
	"internal/render/text":    {own: []string{".", "internal/doctor", "internal/gate", "internal/gocmd", "internal/printable", "internal/render", "internal/report"}},
	"internal/render/html":    {own: []string{".", "internal/gate", "internal/gittext", "internal/page", "internal/printable", "internal/render", "internal/report"}},
	"internal/prom":           {},
	"internal/report":         {own: []string{"."}},
	"internal/report/fleet":   {own: []string{".", "internal/child", "internal/prom", "internal/report", "internal/report/source"}},
	"internal/report/source":  {own: []string{".", "internal/diag/recorded", "internal/plan", "internal/printable", "internal/report", "internal/spool", "internal/store"}},
	"internal/report/follow":  {own: []string{"internal/report", "internal/report/source"}},
	"internal/gittext":        {},
	"internal/page":           {own: []string{"internal/printable"}},
	"internal/watch":          {own: []string{"internal/printable", "internal/render", "internal/report", "internal/report/follow", "internal/report/source"}, others: []string{"golang.org/x/term"}},
	"internal/ui":             {own: []string{"internal/page", "internal/report"}},
	"internal/self":           {},
	"internal/spool":          {},
	"internal/toolexec":       {own: []string{"internal/hook", "internal/plan", "internal/printable", "internal/store"}},
	"internal/printable":      {},
	"internal/rtsource":       {own: []string{"goatrt", "internal/hook"}},
	"goatrt":                  {std: runtimeStd},
	"goatrt/panics":           {own: []string{"goatrt"}, std: runtimeStd},
	"goatrt/pprof":            {own: []string{"goatrt", "goatrt/server"}, std: pprofStd},
	"goatrt/server":           {own: []string{"goatrt"}, std: serverStd},
	"e2e":                     {},
	"compat":                  {},
}

type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func TestImports(t *testing.T) {
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if name == "" {
			name = "."
		}
		r, ok := policy[name]
		if !ok {
			t.Errorf("%s is not in the policy table: say there what it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			if why := r.refuses(imported); why != "" {
				t.Errorf("%s imports %s: %s", name, imported, why)
			}
		}
	}
}

// What runs in every compile of the user's build, and what lives in the user's
// program, brings nothing that the user has not got.
func TestStandardLibraryOnly(t *testing.T) {
	for _, name := range []string{"goatrt", "goatrt/server", "goatrt/pprof", "internal/toolexec", "internal/plan", "internal/hook", "internal/store"} {
		for _, p := range list(t, "-deps", "./"+name) {
			if !p.Standard && !strings.HasPrefix(p.ImportPath, module+"/") {
				t.Errorf("%s depends on %s", name, p.ImportPath)
			}
			if p.ImportPath == module+"/internal/native" {
				t.Errorf("%s depends on the core", name)
			}
		}
	}
}

// The laboratory examines goat; goat does not know it.
func TestTheProductImportsNothingOfTheLaboratory(t *testing.T) {
	for _, p := range list(t, "-deps", ".", "./cmd/...", "./goatrt/...") {
		if inLab(strings.TrimPrefix(p.ImportPath, module+"/")) {
			t.Errorf("the product links %s", p.ImportPath)
		}
	}
	for name, r := range policy {
		if !inLab(name) && slices.ContainsFunc(r.own, inLab) {
			t.Errorf("the policy lets %s import from the laboratory", name)
		}
	}
}

func inLab(name string) bool { return strings.HasPrefix(name, "internal/lab/") }

func TestPolicyRefuses(t *testing.T) {
	for _, c := range []struct {
		from, imports string
		refused       bool
	}{
		{"cmd/goat", module + "/internal/cli", false},
		{"cmd/goat", module + "/internal/native", true},
		{"internal/cli", module + "/internal/lab/script", true},
		{"internal/toolexec", module, true},
		{"internal/toolexec", "github.com/spf13/cobra", true},
		{"internal/toolexec", "os/exec", false},
		{"internal/cli", "github.com/spf13/cobra/doc", false},
		{"internal/cli", "github.com/spf13/cobrax", true},
		{"goatrt", "fmt", true},
		{"goatrt", "sync/atomic", false},
		{"internal/plan", "C", true},
		{"internal/native", "C", false},
		{"internal/native/early", "C", false},
		{"internal/cli", module + "/internal/native/early", true},
		{".", module + "/internal/native/early", true},
	} {
		why := policy[c.from].refuses(c.imports)
		if c.imports == "C" {
			why = refusesC(c.from)
		}
		if (why != "") != c.refused {
			t.Errorf("%s imports %s: %q", c.from, c.imports, why)
		}
	}
}

func TestOnlyNativeImportsC(t *testing.T) {
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if slices.Contains(p.Imports, "C") && refusesC(name) != "" {
			t.Errorf("%s: %s", name, refusesC(name))
		}
	}
}

func refusesC(name string) string {
	if name == "internal/native" || name == "internal/native/early" {
		return ""
	}
	return "internal/native, with what it holds, is the only importer of C"
}

func (r rule) refuses(path string) string {
	if rest, ok := strings.CutPrefix(path+"/", module+"/"); ok {
		own := strings.TrimSuffix(rest, "/")
		if own == "" {
			own = "."
		}
		if slices.Contains(r.own, own) {
			return ""
		}
		return "the policy table does not allow it"
	}
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		if r.std == nil || slices.Contains(r.std, path) {
			return ""
		}
		return "not on the runtime's list of standard packages"
	}
	for _, prefix := range r.others {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return ""
		}
	}
	return "a dependency outside this module"
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Standard"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	var found []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); err == io.EOF {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found = append(found, p)
	}
}
