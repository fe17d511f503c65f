package summary

import "hash/fnv"

// mix64 scrambles the bits of x so that the results of different inputs look
// independent and uniform (the finaliser of the SplitMix64 generator; Steele,
// Lea and Flood 2014). It maps different inputs to different results.
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hashString is the 64-bit FNV-1a hash of s, scrambled.
func hashString(s string) uint64 {
	f := fnv.New64a()
	_, _ = f.Write([]byte(s)) // a hash never fails to write
	return mix64(f.Sum64())
}
