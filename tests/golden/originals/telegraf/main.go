// Telegraf's own gNMI input and serializers over one message: MESSAGE.bin becomes OUT/FORMAT/NAME.out.
package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/agent"
	"github.com/influxdata/telegraf/config"
	_ "github.com/influxdata/telegraf/plugins/inputs/gnmi"
	"github.com/influxdata/telegraf/plugins/serializers/influx"
	serjson "github.com/influxdata/telegraf/plugins/serializers/json"
	"github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"
)

// raw is a codec of bytes as they are.
type raw struct{}

func (raw) Name() string { return "proto" }
func (raw) Marshal(v any) ([]byte, error) {
	if m, ok := v.(proto.Message); ok {
		return proto.Marshal(m)
	}
	return v.([]byte), nil
}
func (raw) Unmarshal(b []byte, v any) error {
	if m, ok := v.(proto.Message); ok {
		return proto.Unmarshal(b, m)
	}
	*(v.(*[]byte)) = b
	return nil
}

var _ encoding.Codec = raw{}

const endField = "sl_end"

func endMessage() []byte {
	b, _ := proto.Marshal(&gnmi.SubscribeResponse{Response: &gnmi.SubscribeResponse_Update{Update: &gnmi.Notification{
		Timestamp: 1,
		Update: []*gnmi.Update{{
			Path: &gnmi.Path{Elem: []*gnmi.PathElem{{Name: "interfaces"}, {Name: "interface"}, {Name: "sl-end"}}},
			Val:  &gnmi.TypedValue{Value: &gnmi.TypedValue_UintVal{UintVal: 1}}}}}}})
	return b
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	message, err := os.ReadFile(os.Args[1])
	check(err)
	name := strings.TrimSuffix(filepath.Base(os.Args[1]), ".bin")
	again := make(chan bool, 10)
	streams := 0
	server := grpc.NewServer(grpc.ForceServerCodec(raw{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		streams++
		if streams > 1 {
			again <- true
			return nil
		}
		check(stream.SendMsg(message))
		check(stream.SendMsg(endMessage()))
		<-stream.Context().Done()
		return nil
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go server.Serve(listener)

	c := config.NewConfig()
	check(c.LoadConfigData([]byte(fmt.Sprintf(`
[agent]
  hostname = "collector1"
  omit_hostname = false
[[inputs.gnmi]]
  addresses = [%q]
  redial = "1s"
  encoding = "proto"
  [[inputs.gnmi.subscription]]
    name = "sub1"
    path = "/interfaces/interface"
    subscription_mode = "on_change"
`, listener.Addr().String())), "rec"))
	input := c.Inputs[0]
	input.SetDefaultTags(map[string]string{"host": "collector1"})
	check(input.Init())
	metrics := make(chan telegraf.Metric, 10000)
	acc := agent.NewAccumulator(input, metrics)
	acc.SetPrecision(time.Nanosecond)
	check(input.Start(acc))
	var got []telegraf.Metric
	for over := false; !over; {
		select {
		case m := <-metrics:
			if _, is := m.GetField(endField); is || strings.Contains(fmt.Sprint(m.Fields()), "sl_end") {
				over = true
			} else {
				got = append(got, m)
			}
		case <-again:
			fmt.Printf("%s: stream ends\n", name)
			over = true
		case <-time.After(10 * time.Second):
			panic("no end")
		}
	}
	js := &serjson.Serializer{TimestampUnits: config.Duration(time.Second)}
	check(js.Init())
	in := &influx.Serializer{}
	check(in.Init())
	for form, s := range map[string]telegraf.Serializer{"telegraf-json": js, "influx": in} {
		var out []byte
		for _, m := range got {
			b, err := s.Serialize(m)
			if err != nil {
				fmt.Printf("%s %s: %v\n", form, name, err)
				continue
			}
			out = append(out, b...)
		}
		dir := filepath.Join(os.Args[2], form)
		check(os.MkdirAll(dir, 0o755))
		check(os.WriteFile(filepath.Join(dir, name+".out"), out, 0o644))
	}
}
