// agingserver is a grpc-go server that tells its clients to go: each connection gets a GOAWAY when it
// is as old as -age, in the graceful form (an announcement, then the last stream it will serve).
//
// It serves grpc.health.v1.Health, at most -streams calls of a connection at a time, each of which
// takes up to -work. It prints "listening 127.0.0.1:PORT".
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
)

func main() {
	age := flag.Duration("age", 100*time.Millisecond, "of a connection, then GOAWAY")
	streams := flag.Uint("streams", 8, "calls of a connection at a time")
	work := flag.Duration("work", 3*time.Millisecond, "at most, for a call")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	busy := func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		time.Sleep(time.Duration(rand.Int63n(int64(*work) + 1)))
		return handle(ctx, request)
	}
	server := grpc.NewServer(grpc.MaxConcurrentStreams(uint32(*streams)), grpc.UnaryInterceptor(busy),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: *age, MaxConnectionAgeGrace: 10 * time.Second}))
	healthpb.RegisterHealthServer(server, health.NewServer())
	fmt.Printf("listening %s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}
