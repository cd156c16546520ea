// Goroutines, channels, select with time-outs, timers, a garbage-collecting load, os/exec.
package main

import (
	"fmt"
	"os/exec"
	"sort"
	"sync"
	"time"
)

type node struct {
	left, right *node
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

func (n *node) count() int {
	if n.left == nil {
		return 1
	}
	return 1 + n.left.count() + n.right.count()
}

func main() {
	results := make(chan int)
	var wg sync.WaitGroup
	for i := 0; i < 10; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			time.Sleep(time.Duration(10-i) * time.Millisecond)
			results <- i * i
		}(i)
	}
	go func() { wg.Wait(); close(results) }()
	var all []int
	for r := range results {
		all = append(all, r)
	}
	sort.Ints(all)
	fmt.Println(all)
	select {
	case <-make(chan int):
	case <-time.After(time.Hour / 3600):
		fmt.Println("timed out")
	}
	total := 0
	for i := 0; i < 30; i++ {
		total += tree(12).count()
	}
	fmt.Println(total)
	out, err := exec.Command("echo", "from a child").Output()
	fmt.Printf("%s%v\n", out, err)
	ticker := time.NewTicker(10 * time.Millisecond)
	for i := 0; i < 3; i++ {
		<-ticker.C
	}
	fmt.Println("ticked")
}
