package sqlquery

// Mix is mix, for tests.
var Mix = mix
