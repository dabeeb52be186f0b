//! A proxy on loopback that leads every CONNECT to one place, whatever it was asked for, and remembers
//! each request.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Ends with the trial's process; it holds nothing but a port.
pub struct Proxy {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Everything ends up at this port of this machine.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("the port it has");
        let proxy = Self { url: format!("http://{address}"), asked: Arc::default() };
        let asked = Arc::clone(&proxy.asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let asked = Arc::clone(&asked);
                thread::spawn(move || serve(client, port, &asked));
            }
        });
        proxy
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first line of each request, without its version.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(client: TcpStream, port: u16, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut lines = BufReader::new(client.try_clone().ok()?).lines().map_while(Result::ok);
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let is_connect = line.starts_with("CONNECT ");
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    lines.find(String::is_empty)?;
    let mut client = client;
    if !is_connect {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (mut up, mut down) = (client.try_clone().ok()?, server.try_clone().ok()?);
    let upward = thread::spawn(move || {
        let _ = std::io::copy(&mut up, &mut down);
        let _ = down.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Write);
    upward.join().ok()
}
