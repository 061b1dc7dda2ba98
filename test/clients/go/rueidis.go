package main

import (
	"net"
	"time"

	"github.com/redis/rueidis"
)

func makeRueidis(sentinels []string, name string, access rueidis.SentinelOption) (rueidis.Client, error) {
	access.MasterSet = name // "shard1"
	return rueidis.NewClient(rueidis.ClientOption{
		InitAddress:      sentinels, // []string{"127.0.0.1:26379"}
		Sentinel:         access,
		Dialer:           net.Dialer{Timeout: 500 * time.Millisecond},
		ConnWriteTimeout: 500 * time.Millisecond,
	})
}
