package main

import (
	"time"

	"github.com/redis/go-redis/v9"
)

func makeGoRedis(sentinels []string, name string, passwordOfSentinels string) *redis.Client {
	return redis.NewFailoverClient(&redis.FailoverOptions{
		SentinelAddrs:    sentinels, // []string{"127.0.0.1:26379"}
		MasterName:       name,      // "shard1"
		SentinelPassword: passwordOfSentinels,
		DialTimeout:      500 * time.Millisecond,
		ReadTimeout:      500 * time.Millisecond,
		WriteTimeout:     500 * time.Millisecond,
		MaxRetries:       3, // within DialTimeout, or it stays with an endpoint that is down
		MinRetryBackoff:  10 * time.Millisecond,
		MaxRetryBackoff:  100 * time.Millisecond,
	})
}
