package leadtime_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rampguard/rampguard/leadtime"
)

// monday is where the releases of the report tests begin.
var monday = time.Date(2025, 1, 6, 9, 0, 0, 0, time.UTC)

func hours(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }

// release is a flight of the standard track that was served after so many hours.
func release(i int, signoff time.Time, h float64) leadtime.Flight {
	end := signoff.Add(hours(h))
	return leadtime.Flight{
		Key:          leadtime.FlightKey{Model: "fraud", Version: fmt.Sprintf("v%03d", i), SignOff: 1},
		Track:        leadtime.Standard,
		State:        leadtime.Served,
		FirstSignOff: signoff, SignOff: signoff, FirstTraffic: end, Served: end, Ended: end,
	}
}

// open is a flight still in flight after so many hours.
func open(i int, signoff time.Time, h float64) leadtime.Flight {
	f := release(i, signoff, h)
	f.State, f.Served, f.FirstTraffic = leadtime.InFlight, time.Time{}, time.Time{}
	return f
}

// releases are flights signed off at monday, of the given hours; event 0 is one in
// flight, and no events at all mean that every flight was served.
func releases(h, event []float64) []leadtime.Flight {
	out := make([]leadtime.Flight, len(h))
	for i := range h {
		if out[i] = release(i, monday, h[i]); event != nil && event[i] == 0 {
			out[i] = open(i, monday, h[i])
		}
	}
	return out
}

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * by
	}
	return out
}

// sure returns a value that came without an error.
func sure[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
