// Package tariffs knows what a parcel costs to each country.
package tariffs

// leg is one leg of a parcel's way: what it costs, and the legs behind it.
type leg[Next any] struct {
	cents int
	next  Next
}

// both is a choice between two ways.
type both[A, B any] struct {
	a A
	b B
}

// For is the price of a parcel to a country, in cents.
func For(country string) int {
	start := 490
	if country != "de" {
		start = 1290
	}
	return way5(leg[int]{cents: start}, start)
}

func way5[T any](t T, n int) int {
	return min(way4(leg[T]{n, t}, n+0), way4(both[T, int]{t, n}, n+1), way4(both[int, T]{n, t}, n+2), way4(both[T, bool]{t, false}, n+3))
}

func way4[T any](t T, n int) int {
	return min(way3(leg[T]{n, t}, n+0), way3(both[T, int]{t, n}, n+1), way3(both[int, T]{n, t}, n+2), way3(both[T, bool]{t, false}, n+3))
}

func way3[T any](t T, n int) int {
	return min(way2(leg[T]{n, t}, n+0), way2(both[T, int]{t, n}, n+1), way2(both[int, T]{n, t}, n+2), way2(both[T, bool]{t, false}, n+3))
}

func way2[T any](t T, n int) int {
	return min(way1(leg[T]{n, t}, n+0), way1(both[T, int]{t, n}, n+1), way1(both[int, T]{n, t}, n+2), way1(both[T, bool]{t, false}, n+3))
}

func way1[T any](t T, n int) int {
	return min(last(leg[T]{n, t}, n+0), last(both[T, int]{t, n}, n+1), last(both[int, T]{n, t}, n+2), last(both[T, bool]{t, false}, n+3))
}

func last[T any](_ T, n int) int { return n }
