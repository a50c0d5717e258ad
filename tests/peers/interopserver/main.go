// interopserver is the server of grpc-go's interoperability suite, on a free port of loopback: upstream's
// own main listens on every interface. Prints:
//
//	listening HOST:PORT
package main

import (
	"flag"
	"fmt"
	"log"
	"net"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // requests may be compressed
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	"sluice.test/peers/secure"
)

func main() {
	log.SetFlags(0)
	security := secure.Register()
	flag.Parse()
	options, err := security.Options()
	if err != nil {
		log.Fatalf("interopserver: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatalf("interopserver: %v", err)
	}
	server := grpc.NewServer(options...)
	testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
	fmt.Printf("listening %s\n", listener.Addr())
	log.Fatalf("interopserver: %v", server.Serve(listener))
}
