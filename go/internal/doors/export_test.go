package doors

// SetLimit lowers the limit for arguments, so that a small plan is a big one.
func SetLimit(n int) { limit = n }
