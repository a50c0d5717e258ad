// seqdevice is a gNMI device on grpc-go whose every Subscribe RPC counts its own messages, so that a
// reader can prove that it has them all. It serves on loopback, in plaintext or over TLS (../secure), a
// port for each device, and prints what `sluice sim` prints:
//
//	listening HOST:PORT                                       once for each device, in order
//	done device=D session=S last-seq=N messages=M             after --count
//	ended device=D session=S last-seq=N why="..."             when the RPC is over
//	wire plain-bytes=N sent-bytes=M                           likewise: its responses, and as they left
//	stream device=D session=S subscription-path=P seq=N blocked-s=T   with --verbose, each second
//
// A client that asks in gzip is answered in gzip.
//
// Leaves of a message: /sluice-sim/state/seq, /sluice-sim/state/session (with 2 updates or more),
// counters up to --updates, and a pad up to the drawn size with --message-bytes. A message drawn
// smaller than a seq leaf goes out without one, and is still counted.
//
// A subscription with stream-mode SAMPLE obeys its interval. Others go as fast as Send returns
// (--fast), or at --rate. With --coalesce messages go on at --rate while Send is blocked: those that
// could not leave are merged into the next, whose seq update says how many in `duplicates`.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	gnmi "github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"

	"sluice.test/peers/secure"
)

type options struct {
	devices  int
	count    uint64
	updates  int
	sizes    sizeRange
	seed     uint64
	rate     float64
	fast     bool
	coalesce bool
	verbose  bool
	security *secure.Flags
}

func (o *options) check() error {
	switch {
	case o.devices < 1:
		return fmt.Errorf("--devices: at least 1")
	case o.updates < 1:
		return fmt.Errorf("--updates: at least 1")
	case o.fast && o.coalesce:
		return fmt.Errorf("--coalesce goes with --rate, not with --fast")
	case !o.fast && o.rate <= 0:
		return fmt.Errorf("--rate: more than 0")
	}
	return nil
}

func parse() (*options, string) {
	o := &options{}
	listen := flag.String("listen", "127.0.0.1", "address; the ports are free ones")
	whenHeld := flag.String("when-held", "wait", "wait or coalesce")
	flag.IntVar(&o.devices, "devices", 1, "devices, each on a port of its own")
	flag.Uint64Var(&o.count, "count", 0, "messages of one RPC; 0: no end")
	flag.IntVar(&o.updates, "updates", 2, "updates of one message: 1 is seq alone, 2 adds session")
	flag.Var(&o.sizes, "message-bytes", "MIN-MAX: sizes drawn log-uniformly between the two")
	flag.Uint64Var(&o.seed, "seed", 1, "of the drawn sizes")
	flag.Float64Var(&o.rate, "rate", 1000, "messages a second")
	flag.BoolVar(&o.fast, "fast", false, "as fast as the collector lets it")
	flag.BoolVar(&o.coalesce, "coalesce", false, "the same as --when-held coalesce")
	flag.BoolVar(&o.verbose, "verbose", false, "a line for each stream each second")
	o.security = secure.Register()
	flag.Parse()
	o.coalesce = o.coalesce || *whenHeld == "coalesce"
	if flag.NArg() > 0 || (*whenHeld != "wait" && *whenHeld != "coalesce") {
		flag.Usage()
		os.Exit(2)
	}
	if err := o.check(); err != nil {
		log.Printf("seqdevice: %v", err)
		os.Exit(2)
	}
	return o, *listen
}

// One device: a listener, a gRPC server, and the streams that are open.
type device struct {
	gnmi.UnimplementedGNMIServer
	name    string
	options *options
	reports *reports
}

func serve(o *options, listen string, reports *reports) error {
	security, err := o.security.Options()
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	for i := range o.devices {
		listener, err := net.Listen("tcp", net.JoinHostPort(listen, "0"))
		if err != nil {
			return err
		}
		fmt.Printf("listening %s\n", listener.Addr())
		server := grpc.NewServer(append(security, grpc.StatsHandler(wireStats{}))...)
		name := fmt.Sprintf("device%d", i+1)
		gnmi.RegisterGNMIServer(server, &device{name: name, options: o, reports: reports})
		go func() { failed <- server.Serve(listener) }()
	}
	return <-failed
}

func main() {
	log.SetFlags(0)
	o, listen := parse()
	reports := &reports{}
	if o.verbose {
		go reports.printEach(time.Second)
	}
	if err := serve(o, listen, reports); err != nil {
		log.Fatalf("seqdevice: %v", err)
	}
}
