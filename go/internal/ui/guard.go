package ui

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/goat-trace/goat/go/internal/page"
)

// guard keeps the page, which shows source code, for who started goat ui. Other pages in
// the same browser can send requests here, too: so the host must be one that this server
// is known by (a name that an attacker makes point here is not), the origin must be its
// own, and the token of this run must be known. Nothing is ever shared with other origins.
type guard struct {
	token string
	// named are the hosts, without port, that the user typed or that always mean this machine.
	named  map[string]bool
	cookie string
}

func newGuard(host, port string) *guard {
	secret := make([]byte, 24)
	rand.Read(secret) // never fails
	g := &guard{token: base64.RawURLEncoding.EncodeToString(secret), named: map[string]bool{"localhost": true}, cookie: "goat_ui_" + port}
	if host != "" {
		g.named[strings.ToLower(host)] = true
	}
	return g
}

// headers stand on every answer.
func headers(h http.Header) {
	h.Set("Content-Security-Policy", page.Policy())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// wrap lets through what comes from this server's own page, with the token.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers(w.Header())
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "only GET is answered here")
		case !g.knowsHost(r):
			refuse(w, http.StatusMisdirectedRequest, "goat ui does not answer to this host name: open the address that it printed")
		case !sameOrigin(r):
			refuse(w, http.StatusForbidden, "goat ui answers its own page only")
		case g.brings(r.URL.Query().Get("token")):
			g.welcome(w)
		case !g.remembers(r):
			refuse(w, http.StatusForbidden, "the token of this run is missing: open the address that goat ui printed")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("goat: " + why + "\n"))
}

// knowsHost compares the Host header: a name that was typed, or the very address on which
// the connection came in. That keeps out names that somebody else made point here.
func (g *guard) knowsHost(r *http.Request) bool {
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host, port = strings.Trim(r.Host, "[]"), "80"
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return false
	}
	at, atPort, err := net.SplitHostPort(local.String())
	if err != nil || port != atPort {
		return false
	}
	if g.named[strings.ToLower(host)] {
		return true
	}
	ip, here := net.ParseIP(host), net.ParseIP(strings.Split(at, "%")[0])
	return ip != nil && here != nil && ip.Equal(here)
}

// sameOrigin refuses what another page asks for, also as a frame, a script or a picture.
func sameOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		from, err := url.Parse(origin)
		if err != nil || from.Scheme != "http" || !strings.EqualFold(from.Host, r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	// A link in another page may open the page: without the cookie, which browsers then
	// leave out, it needs the token.
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

func (g *guard) brings(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 1
}

// welcome turns the token of the address into a cookie, so that it stands neither in the
// history nor in a link that somebody copies.
func (g *guard) welcome(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Location", "/")
	w.WriteHeader(http.StatusSeeOther)
}

func (g *guard) remembers(r *http.Request) bool {
	cookie, err := r.Cookie(g.cookie)
	return err == nil && g.brings(cookie.Value)
}
