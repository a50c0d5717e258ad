// Command bench is the other side of tests/bench/grpc: grpc.testing.BenchmarkService as server and as
// client, on grpc-go as anybody would use it.
//
//	bench server [-cert FILE -key FILE]            prints "port N", ends with SIGTERM
//	bench client -port N -kind unary|stream -size BYTES -conns N -calls N -seconds S [-ca FILE]
//
// The client keeps that many calls under way, spread over that many connections, for so long after
// these stand, and prints
// "calls N messages N bytes N".
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	bench "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

type server struct {
	bench.UnimplementedBenchmarkServiceServer
}

func response(request *bench.SimpleRequest) *bench.SimpleResponse {
	return &bench.SimpleResponse{Payload: &bench.Payload{Body: make([]byte, request.ResponseSize)}}
}

func (server) UnaryCall(_ context.Context, request *bench.SimpleRequest) (*bench.SimpleResponse, error) {
	return response(request), nil
}

func (server) StreamingFromServer(request *bench.SimpleRequest,
	stream bench.BenchmarkService_StreamingFromServerServer) error {
	message := response(request)
	for {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
}

func serve(words []string) {
	flags := flag.NewFlagSet("server", flag.ExitOnError)
	cert := flags.String("cert", "", "")
	key := flags.String("key", "", "")
	must(flags.Parse(words))

	var options []grpc.ServerOption
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		must(err)
		options = append(options, grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13})))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	host := grpc.NewServer(options...)
	bench.RegisterBenchmarkServiceServer(host, server{})
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() {
		<-ended
		host.Stop()
	}()
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	must(host.Serve(listener))
}

var calls, messages, bytes atomic.Int64

func take(message *bench.SimpleResponse) {
	messages.Add(1)
	bytes.Add(int64(len(message.Payload.Body)))
}

// stop judges why a call ended: quietly when it was ours to end.
func stop(ctx context.Context, err error) {
	if ctx.Err() == nil || status.Code(err) != codes.Canceled {
		log.Fatal(err)
	}
}

func callOn(ctx context.Context, client bench.BenchmarkServiceClient, request *bench.SimpleRequest) {
	for {
		message, err := client.UnaryCall(ctx, request)
		if err != nil {
			stop(ctx, err)
			return
		}
		take(message)
		calls.Add(1)
	}
}

func readOn(ctx context.Context, client bench.BenchmarkServiceClient, request *bench.SimpleRequest) {
	stream, err := client.StreamingFromServer(ctx, request)
	if err != nil {
		stop(ctx, err)
		return
	}
	for {
		message, err := stream.Recv()
		if err != nil {
			stop(ctx, err)
			return
		}
		take(message)
	}
}

// dial returns a connection that stands.
func dial(port int, ca string) *grpc.ClientConn {
	security := insecure.NewCredentials()
	if ca != "" {
		pem, err := os.ReadFile(ca)
		must(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		security = credentials.NewTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13})
	}
	conn, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port),
		grpc.WithTransportCredentials(security))
	must(err)
	conn.Connect()
	for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
		conn.WaitForStateChange(context.Background(), state)
	}
	return conn
}

func ask(words []string) {
	flags := flag.NewFlagSet("client", flag.ExitOnError)
	port := flags.Int("port", 0, "")
	kind := flags.String("kind", "unary", "")
	size := flags.Int("size", 100, "")
	conns := flags.Int("conns", 1, "")
	underWay := flags.Int("calls", 100, "")
	seconds := flags.Float64("seconds", 1, "")
	ca := flags.String("ca", "", "")
	must(flags.Parse(words))

	run := readOn
	request := &bench.SimpleRequest{ResponseSize: int32(*size)}
	if *kind == "unary" {
		run = callOn
		request.Payload = &bench.Payload{Body: make([]byte, *size)}
	}
	clients := make([]bench.BenchmarkServiceClient, *conns)
	for i := range clients {
		clients[i] = bench.NewBenchmarkServiceClient(dial(*port, *ca))
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Duration(*seconds*float64(time.Second)), cancel)
	var running sync.WaitGroup
	for i := 0; i < *underWay; i++ {
		running.Add(1)
		go func(client bench.BenchmarkServiceClient) {
			defer running.Done()
			run(ctx, client, request)
		}(clients[i%len(clients)])
	}
	running.Wait()
	fmt.Printf("calls %d messages %d bytes %d\n", calls.Load(), messages.Load(), bytes.Load())
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "server" {
		serve(os.Args[2:])
	} else if len(os.Args) > 1 && os.Args[1] == "client" {
		ask(os.Args[2:])
	} else {
		log.Fatal("usage: bench server|client ...")
	}
}
