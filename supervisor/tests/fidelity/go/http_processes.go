// net/http server and client in two processes, with a collector at work in both.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
)

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		words := make([]string, 2000)
		for i := range words {
			words[i] = fmt.Sprint(r.URL.Path, i)
		}
		fmt.Fprint(w, len(strings.Join(words, " ")))
	}))
}

func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return fmt.Sprint(response.StatusCode, " ", string(body))
}

func main() {
	if len(os.Args) > 1 {
		serve()
		return
	}
	server := exec.Command(os.Args[0], "serve")
	out, err := server.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := server.Start(); err != nil {
		panic(err)
	}
	address, _ := bufio.NewReader(out).ReadString('\n')
	address = strings.TrimSpace(address)
	answers := make([]string, 8)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			for j := 0; j < 20; j++ {
				answers[i] = get(fmt.Sprintf("http://%s/%d/%d", address, i, j))
				runtime.GC()
			}
		}(i)
	}
	wg.Wait()
	for _, answer := range answers {
		fmt.Println(answer)
	}
	server.Process.Kill()
	fmt.Println(server.Wait())
}
