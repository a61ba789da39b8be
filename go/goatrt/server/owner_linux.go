//go:build go1.21 && linux

package server

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// The kernel says which user a socket of this machine belongs to. Nobody can make
// it say something else, so this is how two runtimes know each other.

const (
	stateEstablished = "01"
	stateListen      = "0A"
	// maxTable bounds how much of the kernel's list is read.
	maxTable = 64 << 20
)

// listenerIsOurs tells whether all that listens at the address is this user's.
func listenerIsOurs(at *net.TCPAddr) bool {
	return ours(func(table, local, _, state string) bool {
		if state != stateListen {
			return false
		}
		same := local == spell(table, at.IP, at.Port)
		for _, any := range [...]net.IP{net.IPv4zero, net.IPv6zero} {
			same = same || local == spell(table, any, at.Port)
		}
		return same
	})
}

// connectionIsOurs tells whether the other end of a connection is this user's; from
// is its address, to the one that it has connected to.
func connectionIsOurs(from, to *net.TCPAddr) bool {
	return ours(func(table, local, remote, state string) bool {
		return state == stateEstablished &&
			local == spell(table, from.IP, from.Port) && remote == spell(table, to.IP, to.Port)
	})
}

// ours tells whether there are sockets of interest, and all are this user's. While others
// come and go, the kernel may leave one out of its list; so it is asked again.
func ours(interest func(table, local, remote, state string) bool) bool {
	for try := 1; ; try++ {
		found, others := lookUp(interest)
		if found > 0 || others || try == 5 {
			return found > 0 && !others
		}
		time.Sleep(time.Duration(try) * 10 * time.Millisecond)
	}
}

// lookUp counts the TCP sockets of interest that are this user's, and tells whether
// there are others, or what cannot be read.
func lookUp(interest func(table, local, remote, state string) bool) (found int, others bool) {
	me := strconv.Itoa(os.Geteuid())
	for _, table := range [...]string{"tcp", "tcp6"} {
		file, err := os.Open("/proc/self/net/" + table)
		if err != nil {
			if table == "tcp6" && os.IsNotExist(err) {
				continue
			}
			return 0, true
		}
		lines := bufio.NewScanner(io.LimitReader(file, maxTable))
		for lines.Scan() {
			f := strings.Fields(lines.Text())
			if len(f) > 7 && interest(table, f[1], f[2], f[3]) {
				if f[7] != me {
					others = true
				}
				found++
			}
		}
		_ = file.Close()
		if others || lines.Err() != nil {
			return found, true
		}
	}
	return found, false
}

// spell writes an address as the kernel's list does: words of 32 bits in the order of
// the machine, in hexadecimal; "" where it cannot stand in that table.
func spell(table string, ip net.IP, port int) string {
	raw := ip.To16()
	if table == "tcp" {
		raw = ip.To4()
	}
	if raw == nil {
		return ""
	}
	var text []byte
	for ; len(raw) > 0; raw = raw[4:] {
		text = appendHex(text, uint64(binary.NativeEndian.Uint32(raw)), 8)
	}
	return string(appendHex(append(text, ':'), uint64(port), 4))
}

// appendHex appends so many hexadecimal digits.
func appendHex(text []byte, n uint64, digits int) []byte {
	for digits--; digits >= 0; digits-- {
		text = append(text, "0123456789ABCDEF"[n>>(4*digits)&15])
	}
	return text
}
