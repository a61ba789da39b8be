package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// runner stands for that of a forge: a checkout, its files and variables, and a place
// where releases are.
type runner struct {
	*testing.T
	dir, home string
	env       map[string]string
	releases  *httptest.Server
}

// project has three commits: base on main, a release with a test that reaches one of two
// branches, and what the case adds.
func newRunner(t *testing.T, files map[string]string) *runner {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("a runner has curl: apt-get install curl")
	}
	m := look(t)
	r := &runner{T: t, dir: t.TempDir(), home: t.TempDir()}
	r.env = map[string]string{
		"HOME": r.home, "PATH": m.path, "GOCACHE": m.gocache, "GOMODCACHE": m.modcache, "GOPROXY": "off", "GOENV": "off",
		"GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "GOAT_CACHE": filepath.Join(r.home, "plans"), "LC_ALL": "C",
		"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
		"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
	}
	r.releases = httptest.NewServer(released(t, m.goat))
	t.Cleanup(r.releases.Close)
	r.sh("git init -q -b main && echo 'module example.com/app' >go.mod && echo 'go 1.23' >>go.mod")
	r.write("calc/calc.go", "package calc\n\nfunc Sign(n int) int {\n\treturn n\n}\n")
	r.sh("git add . && git commit -qm base && git update-ref refs/remotes/origin/main HEAD && git checkout -qb feature")
	for name, text := range files {
		r.write(name, text)
	}
	r.sh("git add . && git commit -qm release")
	return r
}

var (
	halfTested = map[string]string{
		"calc/calc.go":      "package calc\n\nfunc Sign(n int) int {\n\tif n < 0 {\n\t\treturn -1\n\t}\n\treturn 1\n}\n",
		"calc/calc_test.go": "package calc\n\nimport \"testing\"\n\nfunc TestSign(t *testing.T) {\n\tif Sign(5) != 1 {\n\t\tt.Fatal()\n\t}\n}\n",
	}
	withMain = map[string]string{
		"calc/calc.go": halfTested["calc/calc.go"], "calc/calc_test.go": halfTested["calc/calc_test.go"],
		"main.go": "package main\n\nfunc main() {}\n",
	}
	failing = map[string]string{
		"calc/calc.go":      halfTested["calc/calc.go"],
		"calc/calc_test.go": strings.Replace(halfTested["calc/calc_test.go"], "!= 1", "== 1", 1),
	}
	untested  = map[string]string{"calc/calc.go": halfTested["calc/calc.go"]}
	unchanged = map[string]string{"README.md": "nothing\n"}
)

// released serves what a release has: the archive and its sums.
func released(t *testing.T, goat string) http.Handler {
	t.Helper()
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(z)
	// A script that calls it: 25 MB need not be packed to be unpacked again.
	for _, name := range []string{"goat", "goat-contract"} {
		text := fmt.Sprintf("#!/bin/sh\nexec %q \"$@\"\n", filepath.Join(filepath.Dir(goat), name))
		if err := errorsOf(archive.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}), write(archive, text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errorsOf(archive.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	const name = "goat_v0.1.0_linux_amd64.tar.gz"
	sums := fmt.Sprintf("%x  goat_0.1.0_amd64.deb\n%x  %s\n%x  proxy/x.zip\n", sha256.Sum256(nil), sha256.Sum256(packed.Bytes()), name, sha256.Sum256(nil))
	mux := http.NewServeMux()
	for _, path := range []string{"/download/v0.1.0/", "/latest/download/"} {
		mux.HandleFunc(path+"SHA256SUMS", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(sums)) })
		mux.HandleFunc(path+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(packed.Bytes()) })
		mux.HandleFunc("/damaged"+path+"SHA256SUMS", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(sums)) })
		mux.HandleFunc("/damaged"+path+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(packed.Bytes()[1:]) })
	}
	return mux
}

func write(w *tar.Writer, text string) error {
	_, err := w.Write([]byte(text))
	return err
}

func errorsOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) write(name, text string) {
	r.Helper()
	path := filepath.Join(r.dir, name)
	if err := errorsOf(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		r.Fatal(err)
	}
}

func (r *runner) sh(script string) {
	r.Helper()
	if out, err := r.shell(r.dir, nil, "sh", "-ec", script); err != nil {
		r.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// shell runs a command with the runner's variables and those of a step.
func (r *runner) shell(dir string, more map[string]string, name string, args ...string) (string, error) {
	command := exec.Command(name, args...)
	command.Dir = dir
	for key, value := range r.env {
		if _, ok := more[key]; !ok {
			command.Env = append(command.Env, key+"="+value)
		}
	}
	for key, value := range more {
		command.Env = append(command.Env, key+"="+value)
	}
	out, err := command.CombinedOutput()
	return string(out), err
}

func (r *runner) read(name string) string {
	r.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

// action is the part of an action.yml that a runner goes by.
type action struct {
	Inputs  map[string]struct{ Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

type step struct {
	Name, ID, If, Shell, Run, Uses string
	Dir                            string `yaml:"working-directory"`
	Env, With                      map[string]string
}

// context is what expressions name: inputs.x, github.x, steps.x.outputs.y, steps.x.outcome.
type githubContext map[string]string

var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

func (c githubContext) expand(text string) string {
	return expression.ReplaceAllStringFunc(text, func(found string) string {
		return c.value(expression.FindStringSubmatch(found)[1])
	})
}

func (c githubContext) value(term string) string {
	if strings.HasPrefix(term, "'") {
		return strings.Trim(term, "'")
	}
	return c[term]
}

// holds evaluates a condition: terms, == and !=, joined by &&.
func (c githubContext) holds(condition string, failed bool) bool {
	if condition == "" {
		return !failed
	}
	condition = expression.FindStringSubmatch(condition)[1]
	if !strings.Contains(condition, "cancelled()") && failed {
		return false
	}
	for _, term := range strings.Split(condition, " && ") {
		left, right, equal := strings.Cut(term, " == ")
		unequalLeft, unequalRight, unequal := strings.Cut(term, " != ")
		switch {
		case term == "!cancelled()":
		case equal && c.value(left) == c.value(right):
		case unequal && c.value(unequalLeft) != c.value(unequalRight):
		case !equal && !unequal && c.value(term) != "":
		default:
			return false
		}
	}
	return true
}

// done is what a run of the action left.
type done struct {
	failed           string
	log, summary     string
	outputs          map[string]string
	used             map[string]map[string]string
	ran              []string
	comments, method string
}

// gh stands for GitHub's command: it keeps comments in a file of the runner.
const gh = `#!/bin/sh
# api [--paginate | --method METHOD] PATH [--jq Q | -F body=@FILE]
case "$*" in
*denied*) echo "HTTP 403: Resource not accessible by integration" >&2; exit 1 ;;
*--paginate*) [ ! -f "$COMMENTS" ] || echo 77 ;;
*) echo "$3 $4" >>"$COMMENTS.log"; file=${6#body=@}; cp "$file" "$COMMENTS" ;;
esac
`

// act runs the steps of action.yml as a runner does.
func (r *runner) act(inputs map[string]string, github map[string]string) done {
	r.Helper()
	var a action
	if err := yaml.Unmarshal([]byte(r.read("../../action.yml")), &a); err != nil {
		r.Fatal(err)
	}
	c := githubContext{}
	for name, input := range a.Inputs {
		c["inputs."+name] = c.expand(input.Default)
	}
	c["inputs.from"] = r.releases.URL
	for name, value := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			r.Fatalf("there is no input %s", name)
		}
		c["inputs."+name] = value
	}
	for name, value := range github {
		c["github."+name] = value
	}
	temp, tools := r.TempDir(), r.TempDir()
	if err := os.WriteFile(filepath.Join(tools, "gh"), []byte(gh), 0o755); err != nil {
		r.Fatal(err)
	}
	base := r.env["PATH"]
	r.env["PATH"] = tools + ":" + base
	defer func() { r.env["PATH"] = base }()
	repository := "goat/app"
	if github["denied"] != "" {
		repository = "goat/denied"
	}
	files := map[string]string{
		"RUNNER_TEMP": temp, "GITHUB_REPOSITORY": repository, "COMMENTS": filepath.Join(r.home, "comment.md"),
		"GITHUB_STEP_SUMMARY": filepath.Join(temp, "summary"), "GITHUB_ENV": filepath.Join(temp, "env"),
		"GITHUB_PATH": filepath.Join(temp, "path"), "GITHUB_OUTPUT": filepath.Join(temp, "output"),
	}
	d := done{outputs: map[string]string{}, used: map[string]map[string]string{}}
	for _, s := range a.Runs.Steps {
		if !c.holds(s.If, d.failed != "") {
			continue
		}
		d.ran = append(d.ran, s.Name)
		if s.Uses != "" {
			with := map[string]string{}
			for key, value := range s.With {
				with[key] = c.expand(value)
			}
			d.used[strings.SplitN(s.Uses, "@", 2)[0]] = with
			continue
		}
		r.step(s, c, files, &d)
	}
	for name, output := range a.Outputs {
		d.outputs[name] = c.expand(output.Value)
	}
	if text, err := os.ReadFile(files["GITHUB_STEP_SUMMARY"]); err == nil {
		d.summary = string(text)
	}
	if text, err := os.ReadFile(files["COMMENTS"]); err == nil {
		d.comments = string(text)
		d.method = r.read(files["COMMENTS"] + ".log")
	}
	return d
}

// step runs one `run:` and takes over what it wrote for the steps after it.
func (r *runner) step(s step, c githubContext, files map[string]string, d *done) {
	r.Helper()
	env := map[string]string{}
	for key, value := range files {
		env[key] = value
	}
	for key, value := range s.Env {
		env[key] = c.expand(value)
	}
	_ = os.Remove(files["GITHUB_OUTPUT"])
	out, err := r.shell(filepath.Join(r.dir, c.expand(s.Dir)), env, "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
	d.log += "== " + s.Name + "\n" + out
	c["steps."+s.ID+".outcome"] = "success"
	if err != nil {
		d.failed += s.Name
		c["steps."+s.ID+".outcome"] = "failure"
	}
	for _, line := range textLines(files["GITHUB_OUTPUT"]) {
		key, value, _ := strings.Cut(line, "=")
		c["steps."+s.ID+".outputs."+key] = value
	}
	for _, line := range textLines(files["GITHUB_ENV"]) {
		key, value, _ := strings.Cut(line, "=")
		files[key] = value
	}
	for _, line := range textLines(files["GITHUB_PATH"]) {
		if !strings.HasPrefix(r.env["PATH"], line+":") {
			r.env["PATH"] = line + ":" + r.env["PATH"]
		}
	}
}

func textLines(name string) []string {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(string(text), func(c rune) bool { return c == '\n' })
}

var pullRequest = map[string]string{"base_ref": "main", "event.pull_request.number": "5", "token": "secret"}

func TestActionPullRequest(t *testing.T) {
	r := newRunner(t, halfTested)
	for _, method := range []string{"POST repos/goat/app/issues/5/comments", "PATCH repos/goat/app/issues/comments/77"} {
		d := r.act(map[string]string{"code-coverage": "true", "fail-under": "0.5", "version": "0.1.0"}, pullRequest)
		if d.failed != "" {
			t.Fatalf("%s failed:\n%s", d.failed, d.log)
		}
		if d.outputs["points"] != "3" || d.outputs["hit"] != "2" {
			t.Errorf("the outputs are %v\n%s", d.outputs, d.log)
		}
		if !strings.Contains(d.summary, "goat: 2 of 3 points of the change ran") || d.comments != d.summary {
			t.Errorf("the summary is\n%s\nthe comment\n%s", d.summary, d.comments)
		}
		if !strings.HasSuffix(strings.TrimSpace(d.method), method) {
			t.Errorf("the comment was written by %s", d.method)
		}
		if file := d.used["actions/upload-code-coverage"]["file"]; !strings.Contains(r.read(file), `<coverage `) {
			t.Errorf("%s is no Cobertura file", file)
		}
		for _, file := range strings.Fields(d.used["actions/upload-artifact"]["path"]) {
			if text := r.read(file); text == "" {
				t.Errorf("%s is empty", file)
			}
		}
	}
}

func TestActionSays(t *testing.T) {
	for name, c := range map[string]struct {
		files          map[string]string
		inputs, github map[string]string
		before         string
		failed, said   string
	}{
		"below":         {files: halfTested, inputs: map[string]string{"fail-under": "90%"}, failed: "Judge", said: "under 90%"},
		"lines":         {files: halfTested, inputs: map[string]string{"fail-under": "90%", "of": "lines"}, failed: "Judge", said: "lines"},
		"tests fail":    {files: failing, failed: "Judge", said: "of 3 points of the change ran"},
		"no tests":      {files: untested, inputs: map[string]string{"fail-under": "0.1"}, failed: "Judge", said: "no test program held any of the changed code"},
		"no gate":       {files: untested, said: "no test program held any of the changed code"},
		"nothing":       {files: unchanged, inputs: map[string]string{"fail-under": "1"}, said: "nothing that can run has changed"},
		"own command":   {files: withMain, inputs: map[string]string{"run": "go vet ./... && go test ./calc"}, said: "2 of 3 points"},
		"command fails": {files: withMain, inputs: map[string]string{"run": "go test ./calc; exit 7"}, failed: "Judge", said: "the tests failed with 7"},
		"flags":         {files: halfTested, inputs: map[string]string{"test-flags": "-count=1 -run=TestSign", "packages": "./calc ./..."}, said: "2 of 3 points"},
		"shallow":       {files: halfTested, before: `git clone -q --depth=1 "file://$PWD" ../shallow && rm -rf .git && mv ../shallow/.git . && rm -rf ../shallow`, failed: "Plan", said: "fetch-depth: 0"},
		"damaged":       {files: halfTested, inputs: map[string]string{"from": "damaged"}, failed: "Install goat", said: "FAILED"},
		"no release":    {files: halfTested, inputs: map[string]string{"version": "9.9.9"}, failed: "Install goat", said: "404"},
		"none":          {files: halfTested, inputs: map[string]string{"version": "none"}, failed: "Install goat", said: "goat: command not found"},
		"fork":          {files: halfTested, github: map[string]string{"denied": "1", "event.pull_request.number": "5"}, said: "no comment on the pull request: HTTP 403"},
		"no base":       {files: halfTested, inputs: map[string]string{"base": "nowhere"}, failed: "Plan", said: "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, c.files)
			if c.before != "" {
				r.sh(c.before)
			}
			if c.inputs["from"] == "damaged" {
				c.inputs["from"] = r.releases.URL + "/damaged"
			}
			d := r.act(c.inputs, c.github)
			if d.failed != c.failed || !strings.Contains(d.log+d.summary, c.said) {
				t.Errorf("failed in %q, not in %q; wanted %q in\n%s\n%s", d.failed, c.failed, c.said, d.log, d.summary)
			}
		})
	}
}

// template is the GitLab job with its inputs filled in.
func (r *runner) template(inputs map[string]string) (before, script, artifacts []string) {
	r.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(r.read("../../examples/gitlab/goat.gitlab-ci.yml")))
	var head struct {
		Spec struct {
			Inputs map[string]struct{ Default string }
		}
	}
	if err := decoder.Decode(&head); err != nil {
		r.Fatal(err)
	}
	var body struct {
		Goat struct {
			Variables map[string]string
			Before    []string `yaml:"before_script"`
			Script    []string
			Artifacts struct {
				Paths   []string
				Reports struct {
					Coverage struct{ Path string } `yaml:"coverage_report"`
				}
			}
		}
	}
	if err := decoder.Decode(&body); err != nil {
		r.Fatal(err)
	}
	input := regexp.MustCompile(`\$\[\[ inputs\.([a-z-]+) \]\]`)
	variables := map[string]string{"CI_PROJECT_DIR": r.dir}
	for name, value := range body.Goat.Variables {
		value = input.ReplaceAllStringFunc(value, func(found string) string {
			name := input.FindStringSubmatch(found)[1]
			declared, ok := head.Spec.Inputs[name]
			if !ok {
				r.Errorf("there is no input %s", name)
			}
			if given, ok := inputs[name]; ok {
				return given
			}
			return declared.Default
		})
		variables[name] = os.Expand(value, func(name string) string { return variables[name] })
	}
	// The machine's own build cache, which is warm.
	variables["GOCACHE"] = r.env["GOCACHE"]
	for name, value := range variables {
		r.env[name] = value
	}
	return body.Goat.Before, body.Goat.Script, append(body.Goat.Artifacts.Paths, body.Goat.Artifacts.Reports.Coverage.Path)
}

func TestGitLabTemplate(t *testing.T) {
	for name, c := range map[string]struct {
		files  map[string]string
		inputs map[string]string
		merge  bool
		failed bool
		said   string
		kept   bool
	}{
		"merge request": {files: halfTested, inputs: map[string]string{"fail-under": "0.5"}, merge: true, said: "2 of 3 points ran", kept: true},
		"below":         {files: halfTested, inputs: map[string]string{"fail-under": "0.9"}, failed: true, said: "under 90%", kept: true},
		"tests fail":    {files: failing, failed: true, said: "the tests failed with 1", kept: true},
		"no tests":      {files: untested, inputs: map[string]string{"fail-under": "0.5"}, failed: true, said: "no test program held"},
		"nothing":       {files: unchanged, inputs: map[string]string{"fail-under": "1"}, said: "nothing that can run has changed"},
		"damaged":       {files: halfTested, inputs: map[string]string{"from": "damaged"}, failed: true, said: "FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, c.files)
			inputs := map[string]string{"from": r.releases.URL}
			for name, value := range c.inputs {
				inputs[name] = value
			}
			if inputs["from"] == "damaged" {
				inputs["from"] = r.releases.URL + "/damaged"
			}
			before, script, artifacts := r.template(inputs)
			if c.merge {
				out, err := r.shell(r.dir, nil, "git", "rev-parse", "origin/main")
				if err != nil {
					t.Fatal(err)
				}
				r.env["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = strings.TrimSpace(out)
			}
			// As GitLab joins them, in the shell of the smallest images.
			out, err := r.shell(r.dir, nil, "sh", "-ec", strings.Join(append(before, script...), "\n"))
			if (err != nil) != c.failed || !strings.Contains(out, c.said) {
				t.Errorf("ended with %v; wanted %q in\n%s", err, c.said, out)
			}
			for _, name := range artifacts {
				if _, err := os.Stat(filepath.Join(r.dir, name)); (err == nil) != c.kept {
					t.Errorf("%s: %v", name, err)
				}
			}
			// What the job makes is no change of the project.
			if status, err := r.shell(r.dir, nil, "git", "status", "--porcelain"); err != nil || status != "" {
				t.Errorf("the checkout holds %s", status)
			}
		})
	}
}
