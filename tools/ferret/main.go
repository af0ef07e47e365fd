// FerretDB's embeddable package as a server program, for tests: plain TCP or TLS, SQLite files in a folder.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	var listener ferretdb.ListenerConfig
	flag.StringVar(&listener.TCP, "listen", "", "address for plain TCP")
	flag.StringVar(&listener.TLS, "tls", "", "address for TLS")
	flag.StringVar(&listener.TLSCertFile, "cert", "", "certificate")
	flag.StringVar(&listener.TLSKeyFile, "key", "", "its key")
	flag.StringVar(&listener.TLSCAFile, "ca", "", "authority of clients' certificates, which are then demanded")
	dir := flag.String("dir", ".", "folder of the SQLite files")
	flag.Parse()
	server, err := ferretdb.New(&ferretdb.Config{Listener: listener, Handler: "sqlite", SQLiteURL: "file:" + *dir + "/"})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
