// ocserver is a gNMI server that sluice's authors did not write: the cache and the subscribe server
// of github.com/openconfig/gnmi, with a feeder behind them. It serves one target on loopback,
// in plaintext or over TLS (../secure). In each round the feeder adds to every counter of every interface; what a counter holds
// after a round follows from the round alone, so that a reader can tell a lost or changed value:
//
//	/interfaces/interface[name=ethernet-1/I]/state/counters/cK = 2^63 + round*(K+1)
//
// It prints
//
//	listening 127.0.0.1:PORT
//	done target=NAME rounds=N            after the last round; then it serves on
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/openconfig/gnmi/cache"
	gnmi "github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/subscribe"
	"google.golang.org/grpc"

	"sluice.test/peers/secure"
)

const counterBase = uint64(1) << 63

type feeder struct {
	cache      *cache.Cache
	target     string
	interfaces int
	counters   int
	rounds     uint64
	interval   time.Duration
}

func elem(name string) *gnmi.PathElem {
	return &gnmi.PathElem{Name: name}
}

// The cache keeps what it is given: every notification is made anew.
func (f *feeder) notification(number int, round uint64, now int64) *gnmi.Notification {
	name := map[string]string{"name": fmt.Sprintf("ethernet-1/%d", number+1)}
	n := &gnmi.Notification{
		Timestamp: now,
		Prefix: &gnmi.Path{
			Target: f.target,
			Elem:   []*gnmi.PathElem{elem("interfaces"), {Name: "interface", Key: name}},
		},
	}
	for k := range f.counters {
		value := counterBase + round*uint64(k+1)
		path := []*gnmi.PathElem{elem("state"), elem("counters"), elem(fmt.Sprintf("c%d", k))}
		n.Update = append(n.Update, &gnmi.Update{
			Path: &gnmi.Path{Elem: path},
			Val:  &gnmi.TypedValue{Value: &gnmi.TypedValue_UintVal{UintVal: value}},
		})
	}
	return n
}

func (f *feeder) run() error {
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	for round := uint64(1); f.rounds == 0 || round <= f.rounds; round++ {
		<-tick.C
		now := time.Now().UnixNano()
		for number := range f.interfaces {
			if err := f.cache.GnmiUpdate(f.notification(number, round, now)); err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
		}
	}
	fmt.Printf("done target=%s rounds=%d\n", f.target, f.rounds)
	return nil
}

func serve(listen string, security *secure.Flags, f *feeder) error {
	options, err := security.Options()
	if err != nil {
		return err
	}
	f.cache = cache.New([]string{f.target})
	server, err := subscribe.NewServer(f.cache)
	if err != nil {
		return err
	}
	f.cache.SetClient(server.Update)
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("listening %s\n", listener.Addr())
	serving := grpc.NewServer(options...)
	gnmi.RegisterGNMIServer(serving, server)
	failed := make(chan error, 1)
	go func() { failed <- serving.Serve(listener) }()
	if err := f.run(); err != nil {
		return err
	}
	return <-failed
}

func main() {
	f := &feeder{}
	listen := flag.String("listen", "127.0.0.1:0", "address and port")
	flag.StringVar(&f.target, "target", "dev1", "the one target's name")
	flag.IntVar(&f.interfaces, "interfaces", 8, "interfaces")
	flag.IntVar(&f.counters, "counters", 4, "counters of an interface")
	flag.Uint64Var(&f.rounds, "rounds", 0, "rounds before it rests; 0: no end")
	flag.DurationVar(&f.interval, "interval", 10*time.Millisecond, "from round to round")
	security := secure.Register()
	flag.Parse()
	if flag.NArg() > 0 || f.interfaces < 1 || f.counters < 1 || f.interval <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := serve(*listen, security, f); err != nil {
		log.Fatalf("ocserver: %v", err)
	}
}
