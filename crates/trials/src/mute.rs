//! Somebody who takes a name on a session bus and never answers a call: a prompt that nobody sees to.
//! Speaks as much D-Bus as that needs (D-Bus Specification, "Message Protocol").

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

pub struct Mute {
    stream: UnixStream,
}

impl Mute {
    /// Takes the name at once; gives it back when dropped.
    pub fn named(address: &str, name: &str) -> Self {
        let path = address.split([':', ',']).find_map(|part| part.strip_prefix("path="));
        let mut stream = UnixStream::connect(path.expect("a bus at a path")).expect("the bus");
        // Whose process it is, the bus sees for itself.
        write!(stream, "\0AUTH EXTERNAL\r\nDATA\r\n").expect("the bus listens");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut line = String::new();
        while !line.starts_with("OK ") {
            line.clear();
            assert_ne!(reader.read_line(&mut line).expect("a line of the bus"), 0, "it hung up");
        }
        write!(stream, "BEGIN\r\n").expect("the bus listens");
        stream.write_all(&call(1, "Hello", &[])).expect("the bus listens");
        let mut body = Vec::new();
        put_string(&mut body, name);
        pad(&mut body, 4);
        // Do not queue for it.
        body.extend(4_u32.to_le_bytes());
        stream.write_all(&call(2, "RequestName", &body)).expect("the bus listens");
        std::thread::spawn(move || {
            // What is asked is read, and there it ends.
            let _ = std::io::copy(&mut reader, &mut std::io::sink());
        });
        Self { stream }
    }
}

impl Drop for Mute {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

/// A method call to the bus itself; its body has the signature "su", or there is none.
fn call(serial: u32, member: &str, body: &[u8]) -> Vec<u8> {
    const BUS: &str = "org.freedesktop.DBus";
    let mut fields = Vec::new();
    let object = (1, b'o', "/org/freedesktop/DBus");
    for (code, kind, value) in [object, (2, b's', BUS), (3, b's', member), (6, b's', BUS)] {
        pad(&mut fields, 8);
        fields.extend([code, 1, kind, 0]);
        put_string(&mut fields, value);
    }
    if !body.is_empty() {
        pad(&mut fields, 8);
        fields.extend([8, 1, b'g', 0, 2, b's', b'u', 0]);
    }
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a short message").to_le_bytes();
    let mut message = vec![b'l', 1, 0, 1];
    message.extend(length(body));
    message.extend(serial.to_le_bytes());
    message.extend(length(&fields));
    message.extend(fields);
    pad(&mut message, 8);
    message.extend(body);
    message
}

fn put_string(bytes: &mut Vec<u8>, text: &str) {
    pad(bytes, 4);
    bytes.extend(u32::try_from(text.len()).expect("a short text").to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

fn pad(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}
