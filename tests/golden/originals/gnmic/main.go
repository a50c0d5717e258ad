// gnmic's own formatters over a folder of messages: DIR/NAME.bin becomes OUT/FORMAT/NAME.out, each
// payload with a line feed behind it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmic/pkg/formatters"
	"github.com/openconfig/gnmic/pkg/outputs"
	"google.golang.org/protobuf/proto"
)

func main() {
	meta := map[string]string{"source": "leaf1", "subscription-name": "sub1", "format": ""}
	forms := []struct {
		name, format string
		split        bool
	}{{"event", "event", false}, {"event-split", "event", true}, {"gnmic-json", "json", false}, {"protojson", "protojson", false}}
	files, _ := filepath.Glob(os.Args[1] + "/*.bin")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		name := strings.TrimSuffix(filepath.Base(f), ".bin")
		for _, form := range forms {
			var out []byte
			rsp := new(gnmi.SubscribeResponse)
			if err := proto.Unmarshal(b, rsp); err != nil {
				fmt.Printf("%s: stream ends: %v\n", name, err)
			} else {
				m := map[string]string{}
				for k, v := range meta {
					m[k] = v
				}
				m["format"] = form.format
				mo := &formatters.MarshalOptions{Format: form.format}
				msgs, err := outputs.Marshal(rsp, m, mo, form.split)
				if err != nil {
					fmt.Printf("%s %s: %v\n", form.name, name, err)
				}
				for _, p := range msgs {
					out = append(append(out, p...), '\n')
				}
			}
			dir := filepath.Join(os.Args[2], form.name)
			os.MkdirAll(dir, 0o755)
			os.WriteFile(filepath.Join(dir, name+".out"), out, 0o644)
		}
	}
}
