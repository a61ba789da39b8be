// Package small has the shape of an instrumented package with two store points
// and two that count.
package small

var goat_c_x [4]uint32
var goat_f_x func(*uint32)

//go:norace
//go:noinline
func goat_h_x(i uint32) {
	if f := goat_f_x; f != nil {
		f(&goat_c_x[i])
		return
	}
	goat_c_x[i] = 1
}

// Acc is the accessor.
//
//go:noinline
func Acc() (*uint32, int, *func(*uint32)) { return &goat_c_x[0], 4, &goat_f_x }

// Store runs store point i (0 or 1). Builds with -race have exact points in
// place of these.
//
//go:norace
func Store(i int) {
	if goat_c_x[i] == 0 {
		goat_c_x[i] = 1
	}
}

// Count runs counting point i (2 or 3).
func Count(i int) { goat_h_x(uint32(i)) }
