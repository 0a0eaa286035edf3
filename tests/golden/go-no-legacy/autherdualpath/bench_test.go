package autherdualpath

import "testing"

func anyBench(t testing.TB, change ...func(*Config)) *bench {
	b, config := testConfig(t)
	for _, c := range change {
		c(&config)
	}
	shim, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	b.shim = shim
	return b
}
