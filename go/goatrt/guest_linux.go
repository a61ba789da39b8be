//go:build go1.21 && linux

package goatrt

import (
	"syscall"
	"unsafe"
)

// highest is where the descriptor of the spool goes: a program that closes descriptors
// it does not know, and opens its own, gets the lowest numbers for these.
const highest = 900

// outOfTheWay moves a descriptor to a high number, if that is possible.
func outOfTheWay(fd int) int {
	moved, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, highest)
	if errno != 0 {
		return fd
	}
	_ = syscall.Close(fd)
	return int(moved)
}

// privileged tells whether the program has rights that its caller lacks: then the
// caller's environment is not obeyed. Capabilities of the file count, too; the kernel
// says so in the auxiliary vector, and hides it where it does.
func privileged() bool {
	if differ() {
		return true
	}
	const secure = 23 // AT_SECURE
	fd, err := openRetrying("/proc/self/auxv", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err == syscall.EACCES || err == syscall.EPERM
	}
	defer syscall.Close(fd)
	var words [128]uintptr
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&words)), unsafe.Sizeof(words))
	n, _ := syscall.Read(fd, bytes)
	for i := 0; i+1 < n/int(unsafe.Sizeof(words[0])); i += 2 {
		if words[i] == secure {
			return words[i+1] != 0
		}
	}
	return false
}

// pollFd is the system's struct pollfd.
type pollFd struct {
	fd              int32
	events, revents int16
}

// canSay tells whether a line can be written to standard error: nobody has to be
// waited for, nobody has closed the other end, and no terminal would stop us.
func canSay() bool {
	const pollOut = 4
	fds := pollFd{fd: 2, events: pollOut}
	var none syscall.Timespec
	n, _, _ := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&fds)), 1, uintptr(unsafe.Pointer(&none)), 0, 0, 0)
	return n == 1 && fds.revents == pollOut && !stopped()
}

// stopped tells whether standard error is a terminal that stops whoever writes to it
// from the background.
func stopped() bool {
	var settings syscall.Termios
	if control(syscall.TCGETS, unsafe.Pointer(&settings)) != nil || settings.Lflag&syscall.TOSTOP == 0 {
		return false
	}
	var group int32
	return control(syscall.TIOCGPGRP, unsafe.Pointer(&group)) == nil && int(group) != syscall.Getpgrp()
}

func control(request uintptr, answer unsafe.Pointer) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, 2, request, uintptr(answer)); errno != 0 {
		return errno
	}
	return nil
}
