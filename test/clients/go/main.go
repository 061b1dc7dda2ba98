// A program that writes through go-redis or rueidis: clients goredis|rueidis JOB, with the same job as ../write.mjs.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

type job struct {
	Sentinels []string `json:"sentinels"`
	Name      string   `json:"name"`
	Key       string   `json:"key"`
	Password  string   `json:"password"`
	CaFile    string   `json:"caFile"`
}

type line struct {
	N     int     `json:"n"`
	AtMs  float64 `json:"atMs"`
	Error string  `json:"error,omitempty"`
}

func main() {
	var given job
	check(json.Unmarshal([]byte(os.Args[2]), &given))
	write := writers[os.Args[1]](given)
	for n := 1; ; n++ {
		err := write(context.Background(), strconv.Itoa(n))
		report := line{N: n, AtMs: float64(time.Now().UnixMicro()) / 1000}
		out := os.Stdout
		if err != nil {
			report.Error = err.Error()
			out = os.Stderr
		}
		check(json.NewEncoder(out).Encode(report))
		time.Sleep(10 * time.Millisecond)
	}
}

type write func(ctx context.Context, value string) error

var writers = map[string]func(job) write{
	"goredis": func(given job) write {
		client := makeGoRedis(given.Sentinels, given.Name, given.Password)
		return func(ctx context.Context, value string) error {
			return client.SAdd(ctx, given.Key, value).Err()
		}
	},
	"rueidis": func(given job) write {
		client, err := makeRueidis(given.Sentinels, given.Name, accessOf(given))
		check(err)
		return func(ctx context.Context, value string) error {
			return client.Do(ctx, client.B().Sadd().Key(given.Key).Member(value).Build()).Error()
		}
	},
}

func accessOf(given job) rueidis.SentinelOption {
	access := rueidis.SentinelOption{Password: given.Password}
	if given.CaFile != "" {
		pem, err := os.ReadFile(given.CaFile)
		check(err)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		access.TLSConfig = &tls.Config{RootCAs: roots}
	}
	return access
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
