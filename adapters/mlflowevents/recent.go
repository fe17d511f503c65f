package mlflowevents

// recent is a map that holds the last so many keys.
type recent[V any] struct {
	values map[string]V
	ring   []string // keys in the order they came; "" for one that was dropped
	next   int
}

func newRecent[V any](n int) *recent[V] {
	return &recent[V]{values: map[string]V{}, ring: make([]string, n)}
}

func (r *recent[V]) get(key string) (V, bool) {
	v, ok := r.values[key]
	return v, ok
}

func (r *recent[V]) put(key string, v V) {
	if _, ok := r.values[key]; !ok {
		delete(r.values, r.ring[r.next])
		r.ring[r.next] = key
		r.next = (r.next + 1) % len(r.ring)
	}
	r.values[key] = v
}

func (r *recent[V]) drop(key string) {
	delete(r.values, key)
	for i, k := range r.ring {
		if k == key {
			r.ring[i] = ""
		}
	}
}
