//go:build go1.21

package server

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// admit decides whether a request may be answered; if not it has said why.
func (h *handler) admit(w http.ResponseWriter, r *http.Request, method string) bool {
	if r.URL.Path == siblingsPath {
		return true // it knows its own by other means
	}
	trusted := h.hasToken(r)
	if !trusted && !h.hostAllowed(r, method) {
		Fail(w, http.StatusForbidden, "host_not_allowed", "the request names the host "+r.Host,
			"ask by address, or send the token")
		return false
	}
	switch {
	case trusted:
		return true
	case r.URL.Path == "/reset":
		Fail(w, http.StatusForbidden, "token_needed", "a reset needs the token",
			"set GOAT_TOKEN and send Authorization: Bearer TOKEN")
		return false
	case h.isLocal(r):
		return true
	case method == http.MethodPost:
		Fail(w, http.StatusForbidden, "token_needed", "only loopback may do this without the token",
			"set GOAT_TOKEN and send Authorization: Bearer TOKEN")
		return false
	case h.token != "":
		w.Header().Set("WWW-Authenticate", `Bearer realm="goat"`)
		Fail(w, http.StatusUnauthorized, "token_needed", "reading from another machine needs the token",
			"send Authorization: Bearer TOKEN")
		return false
	}
	return true
}

// hasToken compares in a time that does not tell how much of the token is right.
func (h *handler) hasToken(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return h.token != "" && strings.EqualFold(scheme, "Bearer") &&
		subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(h.token)) == 1
}

// isLocal tells a client on this machine that no proxy speaks for, and no web page whose
// name was rebound to this machine: a page sends that name as Host.
func (h *handler) isLocal(r *http.Request) bool {
	for _, name := range [...]string{"Forwarded", "X-Forwarded-For", "X-Real-Ip"} {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	if h.unix {
		return true
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && isLoopback(host) && h.isOurs(r.Host)
}

// hostAllowed keeps web pages out: a page whose name was rebound to our address
// sends its own name as Host, and a page that posts says where it is from.
func (h *handler) hostAllowed(r *http.Request, method string) bool {
	if h.unix {
		return true
	}
	if (h.loopback || method == http.MethodPost) && !h.isOurs(r.Host) {
		return false
	}
	if method != http.MethodPost {
		return true
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	from, err := url.Parse(origin)
	return err == nil && from.Host == r.Host
}

// isOurs accepts addresses, localhost, and the name we were told to listen on.
func (h *handler) isOurs(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	return host == "localhost" || net.ParseIP(host) != nil || (h.host != "" && host == strings.ToLower(h.host))
}

// isLoopback takes a host without port.
func isLoopback(host string) bool {
	if i := strings.IndexByte(host, '%'); i >= 0 {
		host = host[:i]
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
