package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	gnmi "github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A Send that took longer than this was blocked, and counts in full.
const blockedAfter = 50 * time.Millisecond

// What one stream has to say each second. Send may be blocked while it is asked.
type report struct {
	device, session, path string

	mutex     sync.Mutex
	seq       uint64
	blocked   time.Duration
	sendSince time.Time // zero: not in Send
}

func (r *report) sending(seq uint64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.seq = seq
	r.sendSince = time.Now()
}

func (r *report) sent() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if took := time.Since(r.sendSince); took > blockedAfter {
		r.blocked += took
	}
	r.sendSince = time.Time{}
}

func (r *report) lastSeq() uint64 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.seq
}

func (r *report) String() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	blocked := r.blocked
	if !r.sendSince.IsZero() {
		if took := time.Since(r.sendSince); took > blockedAfter {
			blocked += took
		}
	}
	return fmt.Sprintf("stream device=%s session=%s subscription-path=%s seq=%d blocked-s=%.3f",
		r.device, r.session, r.path, r.seq, blocked.Seconds())
}

type reports struct {
	mutex sync.Mutex
	open  []*report
}

func (r *reports) add(one *report) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.open = append(r.open, one)
}

func (r *reports) remove(one *report) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.open = slices.DeleteFunc(r.open, func(other *report) bool { return other == one })
}

func (r *reports) print() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, one := range r.open {
		fmt.Println(one)
	}
}

func (r *reports) printEach(period time.Duration) {
	for range time.Tick(period) {
		r.print()
	}
}

// When the next message is due, and which number it has.
type pacer struct {
	interval time.Duration // 0: as fast as Send returns
	coalesce bool
	start    time.Time
}

// Waits until message `last`+1 is due. With coalesce the number is that of the newest message that
// has come due by then.
func (p *pacer) next(ctx context.Context, last uint64) (uint64, bool) {
	if p.interval == 0 {
		return last + 1, ctx.Err() == nil
	}
	due := p.start.Add(time.Duration(last) * p.interval)
	if wait := time.Until(due); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return 0, false
		}
	} else if !p.coalesce {
		// Late: the pace goes on from here, what is behind is not made up for in a burst.
		p.start = p.start.Add(-wait)
	}
	seq := last + 1
	if p.coalesce {
		seq = max(seq, uint64(time.Since(p.start)/p.interval)+1)
	}
	return seq, ctx.Err() == nil
}

func newPacer(o *options, subscription *gnmi.Subscription) *pacer {
	p := &pacer{start: time.Now(), coalesce: o.coalesce}
	switch {
	case subscription.GetMode() == gnmi.SubscriptionMode_SAMPLE &&
		subscription.GetSampleInterval() > 0:
		p.interval = time.Duration(subscription.GetSampleInterval())
	case !o.fast:
		p.interval = time.Duration(float64(time.Second) / o.rate)
	}
	return p
}

func pathText(p *gnmi.Path) string {
	text := ""
	for _, elem := range p.GetElem() {
		text += "/" + elem.GetName()
	}
	if text == "" {
		text = "/"
	}
	return text
}

func newSession() string {
	var bytes [8]byte
	if _, err := rand.Read(bytes[:]); err != nil {
		panic(err) // crypto/rand never fails on Linux
	}
	return hex.EncodeToString(bytes[:])
}

// The first message is the initial value, and sync_response follows it.
func (d *device) stream(server gnmi.GNMI_SubscribeServer, r *report, pace *pacer) error {
	maker := newMaker(d.options, r.session)
	var last, messages uint64
	for d.options.count == 0 || last < d.options.count {
		seq, ok := pace.next(server.Context(), last)
		if !ok {
			return status.FromContextError(server.Context().Err()).Err()
		}
		if d.options.count > 0 {
			seq = min(seq, d.options.count)
		}
		r.sending(seq)
		err := server.Send(maker.message(seq, seq-last-1, time.Now().UnixNano()))
		r.sent()
		if err != nil {
			return err
		}
		if messages == 0 {
			sync := &gnmi.SubscribeResponse_SyncResponse{SyncResponse: true}
			if err := server.Send(&gnmi.SubscribeResponse{Response: sync}); err != nil {
				return err
			}
		}
		last, messages = seq, messages+1
	}
	fmt.Printf("done device=%s session=%s last-seq=%d messages=%d\n", d.name, r.session, last,
		messages)
	<-server.Context().Done()
	return status.FromContextError(server.Context().Err()).Err()
}

func (d *device) Subscribe(server gnmi.GNMI_SubscribeServer) error {
	request, err := server.Recv()
	if err != nil {
		return err
	}
	list := request.GetSubscribe()
	if list.GetMode() != gnmi.SubscriptionList_STREAM || len(list.GetSubscription()) == 0 {
		return status.Error(codes.InvalidArgument, "expected mode STREAM and a subscription")
	}
	first := list.GetSubscription()[0]
	r := &report{device: d.name, session: newSession(), path: pathText(first.GetPath())}
	d.reports.add(r)
	defer d.reports.remove(r)
	err = d.stream(server, r, newPacer(d.options, first))
	fmt.Printf("ended device=%s session=%s last-seq=%d why=%q\n", d.name, r.session, r.lastSeq(), err)
	return err
}
