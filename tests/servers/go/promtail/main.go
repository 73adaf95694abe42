// Promtail as a command: Loki's module still carries its library, and no longer its command.
package main

import (
	"flag"
	"log"
	"os"

	// Before all else, as in Loki's own command: whoever comes second may not register it.
	_ "google.golang.org/grpc/encoding/proto"

	"github.com/grafana/dskit/flagext"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/grafana/loki/v3/clients/pkg/promtail"
	"github.com/grafana/loki/v3/clients/pkg/promtail/client"
	"github.com/grafana/loki/v3/clients/pkg/promtail/config"
	"github.com/grafana/loki/v3/pkg/util/cfg"
	logs "github.com/grafana/loki/v3/pkg/util/log"
)

// settings are those of the file, and where the file is.
type settings struct {
	config.Config `yaml:",inline"`
	file          string
	expand        bool
	check         bool
}

func (s *settings) RegisterFlags(f *flag.FlagSet) {
	f.StringVar(&s.file, "config.file", "", "settings, YAML")
	f.BoolVar(&s.expand, "config.expand-env", false, "put the environment's ${NAME} into them")
	f.BoolVar(&s.check, "check-syntax", false, "read them and end")
	s.Config.RegisterFlags(f)
}

// Clone is where the reader of settings puts what it reads on the way.
func (s *settings) Clone() flagext.Registerer {
	other := *s
	return &other
}

func main() {
	var s settings
	if err := cfg.DefaultUnmarshal(&s, os.Args[1:], flag.CommandLine); err != nil {
		log.Fatalf("promtail: %v", err)
	}
	if s.check {
		return
	}
	logs.InitLogger(&s.ServerConfig.Config, prometheus.DefaultRegisterer, false)
	metrics := client.NewMetrics(prometheus.DefaultRegisterer)
	p, err := promtail.New(s.Config, nil, metrics, false)
	if err != nil {
		log.Fatalf("promtail: %v", err)
	}
	err = p.Run() // until it is told to end
	p.Shutdown()
	if err != nil {
		log.Fatalf("promtail: %v", err)
	}
}
