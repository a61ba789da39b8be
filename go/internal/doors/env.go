package doors

import "context"

func (d *door) env(ctx context.Context) (int, error)      { return 0, nil }
func (d *door) generate(ctx context.Context) (int, error) { return 0, nil }
