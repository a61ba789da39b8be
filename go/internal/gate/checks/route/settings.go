// Package route asks whether requests with the gray tag reach the canary and those without
// it do not: by what the gateway's answers say, and by goat's own evidence.
package route

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go/internal/gate/ask"
	"github.com/goat-trace/goat/go/internal/gate/settings"
)

// Settings are those of one route.
type Settings struct {
	Title   string            `key:"name" help:"name of this check, where there are several"`
	URL     string            `key:"url" help:"address behind the gateway that is probed"`
	Method  string            `key:"method" oneof:"GET,HEAD,POST,PUT,OPTIONS" help:"method of the probes (GET)"`
	Body    string            `key:"body" help:"body of the probes"`
	Headers map[string]string `key:"headers" help:"further request header of all probes"`
	Preset  string            `key:"preset" oneof:"mse,asm,baggage,higress,volcengine" help:"header convention that carries the tag, instead of header"`
	Header  string            `key:"header" help:"request header that carries the gray tag; with preset baggage, the key in it"`
	Value   string            `key:"value" help:"the gray tag (--gray-tag)"`
	Probes  int               `key:"probes" min:"1" max:"100000" help:"how many requests with the tag, and how many without (5; with share, as many without as tell it from none)"`
	Expect  *ask.Expect       `key:"expect" help:"what answers of the canary are like"`
	Without *ask.Expect       `key:"without" help:"what answers to requests without the tag are like; otherwise they must not be like those of the canary"`
	Share   *settings.Share   `key:"share" help:"part of the requests without the tag that the canary gets (weighted routing)"`
	Sure    settings.Share    `key:"confidence" help:"how sure the interval around share is (0.99)"`
	Proof   Evidence          `key:"evidence" help:"goat's own evidence: sources as goat report takes them"`
}

// Evidence are the processes of both sides.
type Evidence struct {
	Canary []string `key:"canary" help:"processes of the canary: a probe with the tag must move their last hit"`
	Stable []string `key:"stable" help:"processes of the stable side: a probe with the tag must not move their last hit"`
}

// SetDefaults sets what holds without a configuration.
func (s *Settings) SetDefaults() { s.Method, s.Sure = "GET", 0.99 }

// Validate refuses what cannot be probed or judged.
func (s *Settings) Validate() error {
	switch {
	case s.URL == "":
		return errors.New("url is missing: an address behind the gateway")
	case ask.CheckURL(s.URL) != nil:
		return fmt.Errorf("url: %w", ask.CheckURL(s.URL))
	case s.Preset == "baggage" && s.Header == "":
		return errors.New("preset baggage needs header: the key under which the tag stands in the baggage")
	case s.Preset != "" && s.Preset != "baggage" && s.Header != "":
		return errors.New("preset and header are two ways to carry the tag: leave one out")
	case s.tagged() && s.Value == "":
		return errors.New("the gray tag is missing: set value, or give --gray-tag")
	case !s.tagged() && s.Share == nil:
		return errors.New("nothing says how requests reach the canary: set header or preset, or share for weighted routing")
	case s.Expect.Empty() && len(s.Proof.Canary) == 0:
		return errors.New("nothing tells the canary's answers from others: set expect, or evidence")
	case s.Share != nil && !s.Expect.Tells():
		return errors.New("share needs an expect that tells the canary's answers from the stable ones: a header, a body or a value in JSON")
	case s.Share != nil && (*s.Share <= 0 || *s.Share >= 1):
		return errors.New("share must lie between 0 and 1, as 0.1")
	case s.Sure <= 0 || s.Sure >= 1:
		return errors.New("confidence must lie between 0 and 1, as 0.99")
	}
	return nil
}

// tagged tells whether requests are marked.
func (s *Settings) tagged() bool { return s.Header != "" || s.Preset != "" }

// tag is the header with its value, as the convention has it.
func (s *Settings) tag() (name, value string) {
	switch s.Preset {
	case "mse":
		return "__microservice_tag__", `[{"name":"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s.Value) + `"}]`
	case "asm":
		return "my-asm-prefer-tag", s.Value
	case "higress":
		return "x-higress-canary", s.Value
	case "volcengine":
		return "x_version_tag", s.Value
	case "baggage":
		return "baggage", s.Header + "=" + s.Value
	}
	return s.Header, s.Value
}
