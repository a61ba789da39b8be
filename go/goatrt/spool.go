//go:build go1.21

package goatrt

import (
	"strconv"
	"strings"
	"sync/atomic"
)

// Layout of a spool file, format 1; docs/spool-format.md says it byte by byte.
const (
	spoolMagic   = "\x89GOATSP\n"
	spoolFormat  = 1
	headerSize   = 256
	recordSize   = 32
	offStarted   = 88
	offSealed    = 112
	offSealTime  = 120
	offResetTime = 128
	offAddress   = 136
	maxAddress   = headerSize - offAddress - 2
)

// spool is the file of one component. All writes go to fixed offsets of a file
// that was allocated in full when it was made.
type spool struct {
	dir     string // absolute
	path    string
	records int64 // offset of the first record
	file    *spoolFile
	lost    atomic.Bool  // the descriptor is no longer our file
	failed  atomic.Value // string: the last write error
}

// openSpool makes the spool file, or says in a few words why there is none.
func (c *Component) openSpool(dir string) (trouble string) {
	dir, err := prepareDir(dir, c.identity.Mode)
	if err == nil {
		var s *spool
		if s, err = createSpool(dir, c); err == nil {
			c.spool.Store(s)
			return ""
		}
	}
	c.trouble = err.Error()
	return c.trouble
}

// createSpool writes the whole file, the magic last: what has no magic is not
// a spool yet.
func createSpool(dir string, c *Component) (*spool, error) {
	image, records := spoolImage(c)
	var last error
	for tries := 0; tries < 4; tries++ {
		path := dir + separator + spoolName(c.identity.App, randomHex())
		f, err := createFile(path, spoolMode(), int64(len(image)), c.identity.Mode == "test")
		if err == nil {
			s := &spool{dir: dir, path: path, records: records, file: f}
			if err = s.fill(image); err == nil {
				f.created()
				return s, nil
			}
			f.discard(path)
			return nil, pathError(dir, err)
		}
		if last = err; !isExist(err) {
			break
		}
	}
	return nil, pathError(dir, last)
}

// fill writes the image; a full disk shows here and not at a hit.
func (s *spool) fill(image []byte) error {
	if _, err := s.file.put(s.path, image[len(spoolMagic):], int64(len(spoolMagic))); err != nil {
		return err
	}
	_, err := s.file.put(s.path, image[:len(spoolMagic)], 0)
	return err
}

// spoolImage builds the file as it is before the first hit.
func spoolImage(c *Component) (image []byte, records int64) {
	info, table := c.infoText(), c.tableText()
	records = int64(headerSize+len(info)+len(table)+63) &^ 63
	size := records + int64(c.total)*recordSize
	image = make([]byte, size)
	copy(image, spoolMagic)
	copy(image[16:32], c.identity.Plan)
	put32(image[8:], spoolFormat)
	put32(image[12:], headerSize)
	put32(image[32:], uint32(c.total))
	put32(image[36:], recordSize)
	put64(image[40:], headerSize)
	put64(image[48:], uint64(len(info)))
	put64(image[56:], uint64(headerSize+len(info)))
	put64(image[64:], uint64(len(table)))
	put64(image[72:], uint64(records))
	put64(image[80:], uint64(size))
	put64(image[offStarted:], uint64(c.started*1000))
	put32(image[96:], uint32(processID()))
	copy(image[headerSize:], info)
	copy(image[headerSize+len(info):], table)
	put32(image[100:], checksum(checksum(fnvBasis, image[8:100]), image[headerSize:headerSize+len(info)+len(table)]))
	return image, records
}

// infoText is the identity as the table spells it, and what only the process knows.
func (c *Component) infoText() string {
	text := c.info
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + "instance=" + strconv.Quote(c.identity.Instance) +
		"\nhost=" + strconv.Quote(hostName()) + "\n"
}

// tableText is the point table in record order: a line `+ "package"` before the
// points of a package, `- "package"` for a degraded one.
func (c *Component) tableText() string {
	var b strings.Builder
	for _, p := range c.packages {
		if p.hook == nil {
			b.WriteString("- " + strconv.Quote(p.path) + "\n")
			continue
		}
		b.WriteString("+ " + strconv.Quote(p.path) + "\n" + p.meta)
		if !strings.HasSuffix(p.meta, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// writeRecord writes one record at its place.
func (s *spool) writeRecord(i int, record, count uint64) bool {
	var buf [recordSize]byte
	if record != 0 {
		buf[0] = 1
		buf[1] = byte(record & phaseMask)
		put64(buf[8:], (record>>timeShift)*1000)
		put64(buf[16:], count)
	}
	return s.write(buf[:], s.records+int64(i)*recordSize)
}

// write is the only way to the file once it is made.
func (s *spool) write(buf []byte, offset int64) bool {
	if s.lost.Load() {
		return false
	}
	ours, err := s.file.put(s.path, buf, offset)
	if !ours {
		s.lost.Store(true)
	} else if err != nil {
		s.failed.Store(err.Error())
	}
	return err == nil
}

// seal says that the process ended in an orderly way.
func (s *spool) seal(now int64) {
	var buf [16]byte
	buf[0] = 1
	put64(buf[8:], uint64(now*1000))
	s.write(buf[:], offSealed)
}

// markReset keeps the time of the last reset.
func (s *spool) markReset(now int64) {
	var buf [8]byte
	put64(buf[:], uint64(now*1000))
	s.write(buf[:], offResetTime)
}

// setAddress keeps where the server listens.
func (s *spool) setAddress(address string) {
	if len(address) > maxAddress {
		return
	}
	buf := make([]byte, 2, 2+len(address))
	buf[0] = byte(len(address))
	s.write(append(buf, address...), offAddress)
}

// state describes the spool for /version.
func (s *spool) state() string {
	if s.lost.Load() {
		return "lost: the descriptor was closed or replaced by the program"
	}
	if why, _ := s.failed.Load().(string); why != "" {
		return "write failed: " + why
	}
	return "ok"
}

const fnvBasis = 2166136261

// checksum is FNV-1a, 32 bits.
func checksum(sum uint32, data []byte) uint32 {
	for _, b := range data {
		sum = (sum ^ uint32(b)) * 16777619
	}
	return sum
}

func put32(b []byte, v uint32) {
	_ = b[3]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

func put64(b []byte, v uint64) {
	put32(b, uint32(v))
	put32(b[4:], uint32(v>>32))
}
