// Writes keys by go-redis, and tells of those that a replica has: see ../cluster_soak.py.
package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// write sets a key at the node that has it, and tells how many replicas have it.
func write(ctx context.Context, client *redis.ClusterClient, key string, number int) (int64, error) {
	node, err := client.MasterForKey(ctx, key)
	if err != nil {
		return 0, err
	}
	pipe := node.Pipeline()
	set := pipe.Set(ctx, key, number, 0)
	wait := pipe.Do(ctx, "wait", 1, 1000)
	if _, err = pipe.Exec(ctx); err != nil {
		client.ReloadState(ctx)
		return 0, err
	}
	replicas, err := wait.Int64()
	if err != nil {
		return 0, err
	}
	return replicas, set.Err()
}

func main() {
	name, ports := os.Args[1], os.Args[2:]
	addresses := make([]string, len(ports))
	for i, port := range ports {
		addresses[i] = "127.0.0.1:" + port
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: addresses, ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second,
	})
	ctx, output := context.Background(), bufio.NewWriter(os.Stdout)
	var confirmed []int
	for number := 0; ; number++ {
		key := fmt.Sprintf("%s:%d", name, number)
		replicas, err := write(ctx, client, key, number)
		if err != nil {
			time.Sleep(50 * time.Millisecond)
		} else if replicas >= 1 {
			fmt.Fprintf(output, "confirmed %s %d\n", key, number)
			confirmed = append(confirmed, number)
		}
		if len(confirmed) > 0 {
			asked := confirmed[rand.Intn(len(confirmed))]
			answer, err := client.Get(ctx, fmt.Sprintf("%s:%d", name, asked)).Result()
			if err == redis.Nil || err == nil && answer != strconv.Itoa(asked) {
				fmt.Fprintf(output, "wrong %s:%d %s\n", name, asked, answer)
			}
		}
		output.Flush()
	}
}
