// Command client sends requests to a service and says what came back.
//
//	client BASE-URL < requests
//
// A request is one line: method, path and, for a POST, the body. Lines that
// start with # are printed as they are. EOF stands where the service hung up.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: client BASE-URL < requests")
		os.Exit(2)
	}
	if err := run(strings.TrimSuffix(os.Args[1], "/"), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func run(base string, requests io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(requests)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			fmt.Fprintln(out, line)
			continue
		}
		status, err := send(base, line)
		if errors.Is(err, io.EOF) {
			fmt.Fprintf(out, "EOF %s\n", line)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%d %s\n", status, line)
	}
	return lines.Err()
}

func send(base, line string) (int, error) {
	method, rest, _ := strings.Cut(line, " ")
	path, body, _ := strings.Cut(rest, " ")
	if body != "" {
		body += "\n"
	}
	request, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
