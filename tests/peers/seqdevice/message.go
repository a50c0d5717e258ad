package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	gnmi "github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/protobuf/proto"
)

// Sizes of a message, drawn so that each magnitude is as likely as the next. Zero: no padding.
type sizeRange struct{ min, max int }

func (s *sizeRange) String() string {
	return fmt.Sprintf("%d-%d", s.min, s.max)
}

func (s *sizeRange) Set(text string) error {
	if _, err := fmt.Sscanf(text, "%d-%d", &s.min, &s.max); err != nil {
		return fmt.Errorf("expected MIN-MAX in bytes")
	}
	if s.min < 1 || s.max < s.min {
		return fmt.Errorf("expected 1 <= MIN <= MAX")
	}
	return nil
}

func (s *sizeRange) draw(random *rand.Rand) int {
	low, high := math.Log(float64(s.min)), math.Log(float64(s.max)+1)
	return min(int(math.Exp(low+random.Float64()*(high-low))), s.max)
}

func path(names ...string) *gnmi.Path {
	p := &gnmi.Path{}
	for _, name := range names {
		p.Elem = append(p.Elem, &gnmi.PathElem{Name: name})
	}
	return p
}

func uintValue(value uint64) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_UintVal{UintVal: value}}
}

func stringValue(value string) *gnmi.TypedValue {
	return &gnmi.TypedValue{Value: &gnmi.TypedValue_StringVal{StringVal: value}}
}

func counter(k int, value uint64) *gnmi.Update {
	p := path("interfaces", "interface", "state", "counters", fmt.Sprintf("c%d", k))
	p.Elem[1].Key = map[string]string{"name": "ethernet-1/1"}
	return &gnmi.Update{Path: p, Val: uintValue(value)}
}

// What the messages of one RPC are made of.
type maker struct {
	options *options
	session string
	random  *rand.Rand
	pad     string
}

func newMaker(o *options, session string) *maker {
	m := &maker{options: o, session: session, random: rand.New(rand.NewPCG(o.seed, 0))}
	m.pad = strings.Repeat("0123456789abcdef", o.sizes.max/16+1)
	return m
}

func (m *maker) full(seq, merged uint64, now int64) *gnmi.Notification {
	n := &gnmi.Notification{Timestamp: now}
	n.Update = append(n.Update, &gnmi.Update{
		Path:       path("sluice-sim", "state", "seq"),
		Val:        uintValue(seq),
		Duplicates: uint32(merged),
	})
	if m.options.updates >= 2 {
		n.Update = append(n.Update, &gnmi.Update{
			Path: path("sluice-sim", "state", "session"),
			Val:  stringValue(m.session),
		})
	}
	for k := 2; k < m.options.updates; k++ {
		n.Update = append(n.Update, counter(k, seq*uint64(k)))
	}
	return n
}

// The smallest message that is an update at all has 6 bytes: an update with an empty value.
// Above 8 the value is a string.
func (m *maker) tiny(size int) *gnmi.Notification {
	value := &gnmi.TypedValue{}
	if size >= 8 {
		value = stringValue(m.pad[:size-8])
	}
	return &gnmi.Notification{Update: []*gnmi.Update{{Val: value}}}
}

// Bytes that a pad of `size` characters takes beside them: tags, lengths, its path.
const padOverhead = 32

func (m *maker) message(seq, merged uint64, now int64) *gnmi.SubscribeResponse {
	n := m.full(seq, merged, now)
	response := &gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_Update{Update: n}}
	if m.options.sizes.max == 0 {
		return response
	}
	size := m.options.sizes.draw(m.random)
	base := proto.Size(response)
	switch {
	case size < base:
		response.Response = &gnmi.SubscribeResponse_Update{Update: m.tiny(min(size, 120))}
	case size > base+padOverhead:
		n.Update = append(n.Update, &gnmi.Update{
			Path: path("sluice-sim", "state", "pad"),
			Val:  stringValue(m.pad[:size-base-padOverhead]),
		})
	}
	return response
}
