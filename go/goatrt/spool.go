//go:build go1.21

package goatrt

import (
	"strconv"
	"strings"
	"sync/atomic"
)

// Layout of a spool file, format 2; docs/spool-format.md says it byte by byte.
const (
	spoolMagic  = "\x89GOATSP\n"
	spoolFormat = 2
	headerSize  = 512
	offStarted  = 88
	offSum      = 100
	offFixed    = 104 // more of what never changes
	fixedEnd    = 128
	offSealed   = 128
	offReset    = 144
	offPhase    = 128 // + 16 * phase: startup 160, traffic 176
	offAddress  = 192
	addressSize = 256
	maxAddress  = addressSize - 2 - 4

	// A slot is what one system call writes and one checksum covers: twelve bytes and
	// the checksum. Slots lie at multiples of 16, so none crosses a page.
	slotSize     = 16
	slotsPerPage = 4096 / slotSize
)

// spool is the file of one component. All writes go to fixed offsets of a file
// that was allocated in full when it was made.
type spool struct {
	dir     string // absolute
	path    string
	records int64  // offset of the first record
	moving  int64  // offset of the first slot of last hits and counts
	sum     uint32 // the header's checksum: ties each slot to its file
	file    *spoolFile
	lost    atomic.Bool  // the descriptor is no longer our file
	failed  atomic.Value // string: the last write error, "" when it has passed
	behind  atomic.Bool  // catchUp will come
}

// openSpool makes the spool file, or notes in a few words why there is none.
func (c *Component) openSpool(dir string) {
	dir, err := prepareDir(dir, c.identity.Mode)
	if err == nil {
		var s *spool
		if s, err = createSpool(dir, c); err == nil {
			c.spool.Store(s)
			return
		}
	}
	c.trouble = err.Error()
}

// createSpool writes the whole file, the magic last: what has no magic is not
// a spool yet.
func createSpool(dir string, c *Component) (*spool, error) {
	s := &spool{dir: dir}
	image := s.image(c)
	var last error
	for tries := 0; tries < 4; tries++ {
		s.path = dir + separator + spoolName(c.identity.App, randomHex())
		var err error
		s.file, err = createFile(s.path, spoolMode(), int64(len(image)), c.identity.Mode == "test")
		if err == nil {
			if err = s.fill(image); err == nil {
				s.file.created()
				return s, nil
			}
			s.file.discard(s.path)
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

// image builds the file as it is before the first hit.
func (s *spool) image(c *Component) []byte {
	info, table := c.infoText(), c.tableText()
	s.records = int64(headerSize+len(info)+len(table)+63) &^ 63
	s.moving = s.records + int64(c.total)*phases*slotSize
	size := s.moving + int64(c.total)*slotSize
	image := make([]byte, size)
	copy(image, spoolMagic)
	copy(image[16:32], c.identity.Plan)
	put32(image[8:], spoolFormat)
	put32(image[12:], headerSize)
	put32(image[32:], uint32(c.total))
	put32(image[36:], slotSize)
	put64(image[40:], headerSize)
	put64(image[48:], uint64(len(info)))
	put64(image[56:], uint64(headerSize+len(info)))
	put64(image[64:], uint64(len(table)))
	put64(image[72:], uint64(s.records))
	put64(image[80:], uint64(size))
	put64(image[offStarted:], uint64(c.started*1000))
	put32(image[96:], uint32(processID()))
	put64(image[offFixed:], uint64(s.moving))
	copy(image[headerSize:], info)
	copy(image[headerSize+len(info):], table)
	s.sum = checksum(fnvBasis, image[8:offSum])
	s.sum = checksum(s.sum, image[offFixed:fixedEnd])
	s.sum = checksum(s.sum, image[headerSize:headerSize+len(info)+len(table)])
	put32(image[offSum:], s.sum)
	return image
}

// infoText is the identity as the table spells it, and what only the process knows.
func (c *Component) infoText() string {
	text := c.info
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + "instance=" + strconv.Quote(c.identity.Instance) +
		"\nhost=" + strconv.Quote(hostName()) +
		"\nlane=" + strconv.Quote(c.identity.Lane) +
		"\nwindow=" + strconv.Quote(c.window.String()) + "\n"
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

// writeRecord writes record k at its place; 0 takes it back.
func (s *spool) writeRecord(k int, word uint64) bool {
	var buf [slotSize]byte
	at := s.records + int64(k)*slotSize
	if word != 0 {
		put64(buf[:], (word>>timeShift)*1000)
		buf[8] = byte(k%phases + 1)
		s.seal16(&buf, at)
	}
	return s.write(buf[:], at)
}

// seal16 puts the checksum of a slot into its last bytes: over the header's checksum,
// the place, and the content.
func (s *spool) seal16(slot *[slotSize]byte, at int64) {
	put32(slot[12:], s.slotSum(slot[:12], at))
}

func (s *spool) slotSum(content []byte, at int64) uint32 {
	var place [8]byte
	put64(place[:], uint64(at))
	return checksum(checksum(s.sum, place[:]), content)
}

// spoolMoving brings last hits and counts into the file, a page at a time. Who calls
// it holds scanning, or is the last to run.
func (c *Component) spoolMoving() {
	s := c.spool.Load()
	if s == nil || c.last == nil && c.counts == nil {
		return
	}
	if c.counts != nil {
		for i := range c.counts.spooled {
			if n := c.counts.sum(i); n != c.counts.spooled[i] {
				c.counts.spooled[i] = n
				c.moved[i/slotsPerPage].Store(true)
			}
		}
	}
	for page := range c.moved {
		if c.moved[page].Swap(false) && !c.spoolPage(s, page) {
			c.moved[page].Store(true)
		}
	}
}

// spoolPage writes the last hits and counts of some points.
func (c *Component) spoolPage(s *spool, page int) bool {
	var buf [slotsPerPage * slotSize]byte
	var counts [slotsPerPage]uint64
	first := page * slotsPerPage
	n := min(slotsPerPage, c.total-first)
	for i := 0; i < n; i++ {
		counts[i] = c.count(first + i)
		c.moving((*[slotSize]byte)(buf[i*slotSize:]), s, first+i, counts[i])
	}
	ok := s.write(buf[:n*slotSize], s.moving+int64(first)*slotSize)
	for i := 0; c.prompt && ok && i < n; i++ {
		if c.count(first+i) != counts[i] {
			c.spoolCount(first + i)
		}
	}
	return ok
}

// spoolCount brings the count of point i into the file unless it has the same. Several
// goroutines may do so at once: whoever wrote looks whether what it wrote is still so.
func (c *Component) spoolCount(i int) {
	s := c.spool.Load()
	if s == nil {
		return
	}
	for tries := 0; tries < 8; tries++ {
		var slot [slotSize]byte
		n := c.count(i)
		c.moving(&slot, s, i, n)
		if !s.write(slot[:], s.moving+int64(i)*slotSize) || c.count(i) == n {
			return
		}
	}
}

// moving fills the slot of last hit and count of point i.
func (c *Component) moving(slot *[slotSize]byte, s *spool, i int, count uint64) {
	var last uint64
	if c.last != nil {
		last = uint64(c.last[i].Load()) / 1000
	}
	if last|count != 0 {
		put48(slot[:], last)
		put48(slot[6:], count)
		s.seal16(slot, s.moving+int64(i)*slotSize)
	}
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

// moment writes a slot of the header: a time, and in some a phase.
func (s *spool) moment(at int64, now int64, phase uint64) {
	var buf [slotSize]byte
	put64(buf[:], uint64(now*1000))
	buf[8] = byte(phase)
	s.seal16(&buf, at)
	s.write(buf[:], at)
}

// seal says that the process ended in an orderly way, and in which phase.
func (s *spool) seal(now int64, phase uint64) { s.moment(offSealed, now, phase) }

// markReset keeps the time of the last reset.
func (s *spool) markReset(now int64) { s.moment(offReset, now, 0) }

// markPhase keeps when a phase began.
func (s *spool) markPhase(phase uint64, now int64) {
	s.moment(offPhase+slotSize*int64(phase), now, phase)
}

// setAddress keeps where the server listens.
func (s *spool) setAddress(address string) {
	if len(address) > maxAddress {
		return
	}
	buf := make([]byte, addressSize)
	buf[0] = byte(len(address))
	copy(buf[2:], address)
	put32(buf[addressSize-4:], s.slotSum(buf[:addressSize-4], offAddress))
	s.write(buf, offAddress)
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

func put48(b []byte, v uint64) {
	put32(b, uint32(v))
	b[4], b[5] = byte(v>>32), byte(v>>40)
}

func put64(b []byte, v uint64) {
	put32(b, uint32(v))
	put32(b[4:], uint32(v>>32))
}
