package analysis

// Maps returns the settings of each mapping of a list, whose unread keys are
// unknown, too; nil when the key is absent or no list.
func (p *Params) Maps(key string) []*Params {
	if i, ok := p.index[key]; ok && p.fields[i].subs != nil {
		return p.fields[i].subs
	}
	subs := p.maps(key)
	if i, ok := p.index[key]; ok {
		p.fields[i].subs = subs
	}
	return subs
}
