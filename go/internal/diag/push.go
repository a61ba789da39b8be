package diag

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
)

// Push is a Pushgateway and the group of series that a push replaces there. Its key has
// no commit in it: a gateway never forgets.
type Push struct {
	// URL is the gateway's address, also with a path of its own or user and password.
	URL string
	// Job and Target are the key of the group; without a target it is the job alone.
	Job, Target string
	Timeout     time.Duration
}

// Address is where the group stands.
func (p Push) Address() (string, error) {
	base, err := url.Parse(p.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return "", &goat.Error{Code: goat.CodeUsage, Message: fmt.Sprintf("--push: %q is no address of a Pushgateway", redacted(base, p.URL)), Hint: "use something like --push http://pushgateway:9091"}
	}
	address := strings.TrimSuffix(base.String(), "/") + "/metrics" + grouped("job", p.Job)
	if p.Target != "" {
		address += grouped("target", p.Target)
	}
	return address, nil
}

// grouped is one label of a key; a slash in its value needs the gateway's other spelling.
func grouped(name, value string) string {
	if strings.Contains(value, "/") || value == "." || value == ".." {
		return "/" + name + "@base64/" + base64.RawURLEncoding.EncodeToString([]byte(value))
	}
	return "/" + name + "/" + url.PathEscape(value)
}

func redacted(parsed *url.URL, text string) string {
	if parsed == nil {
		return text
	}
	return parsed.Redacted()
}

// Send replaces the group by these series: what they no longer hold vanishes.
func (p Push) Send(ctx context.Context, metrics []byte) error {
	address, err := p.Address()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(metrics))
	if err != nil {
		return &goat.Error{Code: goat.CodeUsage, Message: "--push: " + err.Error()}
	}
	request.Header.Set("Content-Type", "text/plain; version=0.0.4")
	failed := &goat.Error{
		Code: goat.CodeNetwork, Message: "the Pushgateway at " + request.URL.Redacted() + " took nothing",
		Hint: "is it the gateway's own address, and can it be reached from here?",
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return failed.Wrap(err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if response.StatusCode/100 != 2 {
		return failed.Wrap(fmt.Errorf("it answers %d %s", response.StatusCode, strings.TrimSpace(string(said))))
	}
	return nil
}
