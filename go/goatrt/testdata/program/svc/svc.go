// Package svc has the shape of an instrumented package with exact points.
package svc

const Points = 1000

var goat_c_x [Points]uint32
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
func Acc() (*uint32, int, *func(*uint32)) { return &goat_c_x[0], Points, &goat_f_x }

// Do runs point i, as a guard in the source would.
func Do(i int) {
	if goat_c_x[i] == 0 {
		goat_h_x(uint32(i))
	}
}
