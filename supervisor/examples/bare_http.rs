//! A server of nothing but hyper, and a client that asks one thing after the other over one connection.
//!
//! `bare_http serve PORT`; `bare_http ask HOST PORT COUNT ROUTES`.

use std::{
    convert::Infallible,
    env,
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use http_body_util::Full;
use hyper::{Response, body::Bytes, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What is answered, as the mocks of the benchmark do.
const ANSWER: &str = "{\"id\":\"ch_1\",\"amount\":500,\"paid\":true}";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", port] => serve(port.parse()?),
        ["ask", host, port, count, routes] => {
            ask(host, port.parse()?, count.parse()?, routes.parse()?)
        }
        _ => Err("serve PORT, or ask HOST PORT COUNT ROUTES".into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service_fn(async |_| {
            let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
            let kind = header::HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            Ok::<_, Infallible>(response)
        });
        tokio::task::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn ask(host: &str, port: u16, count: u32, routes: u32) -> Result<(), Box<dyn Error>> {
    let stream = TcpStream::connect((host, port))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    for number in 0..count {
        let route = number * 7919 % routes;
        let request =
            format!("GET /v1/things-{route}/item-{number} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        reader.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut len, mut is_fine) = (String::new(), 0, false);
        while reader.read_line(&mut line)? > 2 {
            is_fine |= line.starts_with("HTTP/1.1 200");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                len = value.trim().parse()?;
            }
            line.clear();
        }
        let mut body = vec![0; len];
        reader.read_exact(&mut body)?;
        if !is_fine || body != ANSWER.as_bytes() {
            return Err(format!("request {number}: {}", String::from_utf8_lossy(&body)).into());
        }
    }
    Ok(())
}
