package cluster

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"sigs.k8s.io/yaml"
)

// composed is a copy of examples/docker, beside which somebody may have run a command.
func composed(t *testing.T, command string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(examples, "docker"))); err != nil {
		t.Fatal(err)
	}
	if command != "" {
		run := exec.Command("sh", "-ec", command)
		run.Dir = dir
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	return dir
}

// project reads the compose file as docker compose does: held against the schema, with the
// variables of .env, every path made whole.
func project(t *testing.T, dir string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "compose.yaml")}, cli.WithWorkingDirectory(dir), cli.WithEnvFiles(), cli.WithDotEnv, cli.WithName("shop"))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(context.Background())
}

// TestCompose: the canary cannot be written to, its port has a token, Prometheus knows it.
func TestCompose(t *testing.T) {
	if _, err := project(t, composed(t, "")); err == nil || !strings.Contains(err.Error(), "GOAT_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
	dir := composed(t, prescribed(t))
	all, err := project(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	shop, prometheus := all.Services["shop"], all.Services["prometheus"]
	dockerfile := read(t, filepath.Join(dir, shop.Build.Dockerfile))
	switch security := shop.SecurityOpt; {
	case !shop.ReadOnly || !slices.Equal(shop.CapDrop, []string{"ALL"}) || !slices.Contains(security, "no-new-privileges:true"):
		t.Error("the canary may write its root, or has rights")
	case !strings.Contains(dockerfile, "\nENV GOAT_SPOOL="+shop.Volumes[0].Target+"\n") || shop.Volumes[0].Type != types.VolumeTypeVolume:
		t.Errorf("the volume at %s is no spool", shop.Volumes[0].Target)
	case prometheus.DependsOn["shop"].Condition != types.ServiceConditionHealthy || !strings.Contains(dockerfile, "\nHEALTHCHECK "):
		t.Error("Prometheus waits for a health that nobody looks after")
	}
	for name, service := range all.Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s is open to everybody at %s", name, port.Published)
			}
		}
	}
	token := shop.Environment["GOAT_TOKEN"]
	host, port, err := net.SplitHostPort(*shop.Environment["GOAT_ADDR"])
	if err != nil || net.ParseIP(host).IsLoopback() || token == nil || *token != strings.TrimSpace(read(t, filepath.Join(dir, "goat.token"))) {
		t.Errorf("%s:%s with the token %v: %v", host, port, token, err)
	}
	for _, volume := range prometheus.Volumes {
		if _, err := os.Stat(volume.Source); volume.Type != types.VolumeTypeBind || err != nil || !volume.ReadOnly {
			t.Errorf("Prometheus gets %+v: %v", volume, err)
		}
	}
	scraped(t, dir, "shop:"+port)
}

// scraped holds Prometheus' settings against the canary that it reads.
func scraped(t *testing.T, dir, target string) {
	t.Helper()
	var settings struct {
		Jobs []struct {
			Name   string `json:"job_name"`
			Path   string `json:"metrics_path"`
			Limit  int    `json:"sample_limit"`
			Bearer struct {
				Credentials string `json:"credentials_file"`
			} `json:"authorization"`
			Targets []struct{ Targets []string } `json:"static_configs"`
		} `json:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(dir, "prometheus.yml"))), &settings); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, job := range settings.Jobs {
		paths[job.Name] = job.Path
		if !slices.Equal(job.Targets[0].Targets, []string{target}) || job.Bearer.Credentials != "goat.token" {
			t.Errorf("%+v reads something other than %s", job, target)
		}
		if (job.Path != "") != (job.Limit > 0) {
			t.Errorf("%s has the limit %d", job.Name, job.Limit)
		}
	}
	if len(paths) != 2 || paths["goat"] != "" || paths["goat-points"] != "/metrics/points" {
		t.Errorf("the jobs read %v", paths)
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		check := exec.Command(promtool, "check", "config", "prometheus.yml")
		check.Dir = dir
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("promtool: %v\n%s", err, out)
		}
	}
}

// prescribed is the command that the compose file says to run once.
func prescribed(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(read(t, filepath.Join(examples, "docker/compose.yaml"))) {
		if command, ok := strings.CutPrefix(line, "#   "); ok {
			return command
		}
	}
	t.Fatal("the compose file names no command")
	return ""
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
