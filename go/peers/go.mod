module github.com/goat-trace/goat/go/peers

go 1.24

require (
	github.com/DataDog/gostackparse v0.7.0
	github.com/goat-trace/goat/go v0.0.0
	github.com/maruel/panicparse/v2 v2.5.0
)

replace github.com/goat-trace/goat/go => ..
