package main

import (
	"context"
	"fmt"
	"sync/atomic"

	_ "google.golang.org/grpc/encoding/gzip" // answers in gzip a client that asks in gzip
	"google.golang.org/grpc/stats"
)

// wireStats counts an RPC's responses as they are and as they leave, and prints both when it is over.
type wireStats struct{}

type wireBytes struct{ plain, sent atomic.Int64 }

type wireKey struct{}

func (wireStats) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, wireKey{}, new(wireBytes))
}

func (wireStats) HandleRPC(ctx context.Context, event stats.RPCStats) {
	bytes := ctx.Value(wireKey{}).(*wireBytes)
	switch event := event.(type) {
	case *stats.OutPayload:
		bytes.plain.Add(int64(event.Length))
		bytes.sent.Add(int64(event.CompressedLength))
	case *stats.End:
		fmt.Printf("wire plain-bytes=%d sent-bytes=%d\n", bytes.plain.Load(), bytes.sent.Load())
	}
}

func (wireStats) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (wireStats) HandleConn(context.Context, stats.ConnStats) {}
