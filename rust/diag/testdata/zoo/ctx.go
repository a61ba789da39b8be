package main

import "context"

type c2 = context.Context

func ctx() context.Context { return context.Background() }
