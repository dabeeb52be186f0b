//! A name server of a trial's own, which says of every name what it is told to say, and supervisors in
//! whose eyes it is the only one: in a mount namespace of their own, so nobody else on the machine
//! notices. Speaks as much DNS as that needs (RFC 1035). Root only.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Api, Place, Supervisor, has_tools, is_root, program};

/// What it says of every name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    At(Ipv4Addr),
    /// There is no such name (NXDOMAIN).
    Nobody,
    /// Nothing at all.
    Silence,
}

pub struct NameServer {
    at: Ipv4Addr,
    says: Arc<Mutex<Says>>,
}

fn lock(says: &Mutex<Says>) -> MutexGuard<'_, Says> {
    says.lock().unwrap_or_else(PoisonError::into_inner)
}

impl NameServer {
    /// On an address of this machine that no other has; nothing, with a printed line, where that cannot be.
    #[track_caller]
    pub fn start() -> Option<Self> {
        if !is_root() || !has_tools(&["unshare", "mount", "sh"]) {
            return None;
        }
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let at = Ipv4Addr::new(127, 53, high, low.clamp(1, 254));
        let socket = UdpSocket::bind((at, 53)).expect("an address of this machine's own");
        let server = Self { at, says: Arc::new(Mutex::new(Says::Nobody)) };
        let says = Arc::clone(&server.says);
        // It ends with the trial's process; it holds nothing but a port.
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                let now = *lock(&says);
                if let Some(answer) = answer(&question[..length], now) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Some(server)
    }

    pub fn says(&self, says: Says) {
        *lock(&self.says) = says;
    }

    /// A supervisor that asks this one and nobody else, and so do its agents and their tasks.
    #[track_caller]
    pub fn start_supervisor(&self, place: &Place, api: &Api) -> Supervisor {
        let file = |name: &str, text: &str, mode: u32| -> PathBuf {
            let path = place.path(name);
            run_dir::write_atomically(&path, text.as_bytes()).expect("a file of ours");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a file of ours");
            path
        };
        let resolver = format!("nameserver {}\noptions timeout:1 attempts:1\n", self.at);
        let resolver = file("resolv.conf", &resolver, 0o644);
        let order = file("nsswitch.conf", "hosts: files dns\n", 0o644);
        let script = format!(
            "#!/bin/sh\nexec unshare --mount --propagation private sh -c '\
             mount --bind \"$0\" /etc/resolv.conf && mount --bind \"$1\" /etc/nsswitch.conf && exec \"$2\"' \
             '{}' '{}' '{}'\n",
            resolver.display(),
            order.display(),
            program("runner-tray-supervisor").display(),
        );
        Supervisor::start_program(place, api, &file("with a name server", &script, 0o755))
    }
}

const ADDRESS: [u8; 2] = [0, 1];
const NO_SUCH_NAME: u8 = 3;

/// Header, the question again, and at most one address.
fn answer(question: &[u8], says: Says) -> Option<Vec<u8>> {
    let header = question.get(..12)?;
    // Labels, up to the empty one, then type and class.
    let mut end = 12;
    while *question.get(end)? != 0 {
        end += 1 + usize::from(question[end]);
    }
    let asked = question.get(12..end + 5)?;
    let wants_address = asked[asked.len() - 4..][..2] == ADDRESS;
    let (code, address) = match says {
        Says::Silence => return None,
        Says::Nobody => (NO_SUCH_NAME, None),
        Says::At(address) => (0, Some(address).filter(|_| wants_address)),
    };
    let mut answer = header[..2].to_vec();
    // A response, recursion as it was wanted; one question, so many answers.
    answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    answer.extend(asked);
    if let Some(address) = address {
        // The name of the question, an address, of the Internet, not to be remembered.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
