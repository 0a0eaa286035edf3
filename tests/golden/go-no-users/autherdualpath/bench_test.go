package autherdualpath

import (
	"context"
	"testing"
)

func anyBench(t testing.TB, change ...func(*Config)) *bench {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	b, config := testConfig(t)
	for _, c := range change {
		c(&config)
	}
	shim, err := New(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	b.shim = shim
	return b
}
