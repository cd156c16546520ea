//! std threads, channels, scoped threads, condition variables, processes, TCP.
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

fn main() {
    let (sender, receiver) = mpsc::sync_channel(2);
    for id in 0..4u64 {
        let sender = sender.clone();
        thread::spawn(move || {
            for i in 0..5 {
                thread::sleep(Duration::from_micros(id * 10));
                sender.send(id * 100 + i).unwrap();
            }
        });
    }
    drop(sender);
    let mut all: Vec<_> = receiver.iter().collect();
    all.sort();
    println!("{all:?}");

    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                *pair.0.lock().unwrap() += 1;
                pair.1.notify_all();
            });
        }
        let count = pair.1.wait_while(pair.0.lock().unwrap(), |count| *count < 3).unwrap();
        println!("{count}");
    });

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
            stream.write_all(line.to_uppercase().as_bytes()).unwrap();
        }
    });
    for i in 0..3 {
        let mut stream = TcpStream::connect(address).unwrap();
        writeln!(stream, "hello {i}").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        print!("{line}");
    }
    server.join().unwrap();
    let output = Command::new("sh").args(["-c", "echo child; exit 5"]).output().unwrap();
    println!("{:?} {:?}", String::from_utf8_lossy(&output.stdout), output.status.code());
    let start = Instant::now();
    thread::sleep(Duration::from_millis(1500));
    println!("{}", start.elapsed() >= Duration::from_millis(1500));
}
