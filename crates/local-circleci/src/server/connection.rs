//! A connection that can be made to break: closed without a word, or reset as by a router that has
//! forgotten it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is to become of a connection; known to it and to the calls that come by it.
#[derive(Clone, Default)]
pub(super) struct Fate(Arc<AtomicU8>);

const HANGS_UP: u8 = 1;
const IS_RESET: u8 = 2;

impl Fate {
    /// Not a byte more is sent.
    pub(super) fn hang_up(&self) {
        self.0.store(HANGS_UP, Ordering::SeqCst);
    }

    /// The same, and the other side is told so by a RST.
    pub(super) fn reset(&self) {
        self.0.store(IS_RESET, Ordering::SeqCst);
    }

    fn is_sealed(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

pub(super) struct Connection {
    stream: Stream,
    fate: Fate,
}

impl Connection {
    fn new(stream: Stream) -> Self {
        Self { stream, fate: Fate::default() }
    }

    fn inner(self: Pin<&mut Self>) -> io::Result<Pin<&mut dyn Both>> {
        let this = self.get_mut();
        if this.fate.is_sealed() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(match &mut this.stream {
            Stream::Plain(stream) => Pin::new(stream),
            Stream::Tls(stream) => Pin::new(&mut **stream),
        })
    }
}

trait Both: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Both for T {}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.fate.0.load(Ordering::SeqCst) == IS_RESET {
            let tcp = match &self.stream {
                Stream::Plain(stream) => stream,
                Stream::Tls(stream) => stream.get_ref().0,
            };
            // Without it, it is closed in good order: another fault, but one still.
            let _ = tcp.set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner()?.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner()?.poll_shutdown(context)
    }
}

/// Plain connections as they come.
pub(super) struct Plain(pub(super) TcpListener);

impl Listener for Plain {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, from) = Listener::accept(&mut self.0).await;
        (Connection::new(Stream::Plain(stream)), from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Connections whose handshake is done; one that fails is nobody's.
pub(super) struct Tls {
    shaken: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
}

impl Tls {
    /// Shakes hands until the listener is dropped; call it inside the runtime.
    pub(super) fn new(mut listener: TcpListener, acceptor: TlsAcceptor) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (done, shaken) = mpsc::channel(8);
        tokio::spawn(async move {
            while !done.is_closed() {
                let (stream, from) = Listener::accept(&mut listener).await;
                let (acceptor, done) = (acceptor.clone(), done.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let stream = Connection::new(Stream::Tls(Box::new(stream)));
                        let _ = done.send((stream, from)).await;
                    }
                });
            }
        });
        Ok(Self { shaken, address })
    }
}

impl Listener for Tls {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.shaken.recv().await {
            Some(shaken) => shaken,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, Plain>> for Fate {
    fn connect_info(stream: IncomingStream<'_, Plain>) -> Self {
        stream.io().fate.clone()
    }
}

impl Connected<IncomingStream<'_, Tls>> for Fate {
    fn connect_info(stream: IncomingStream<'_, Tls>) -> Self {
        stream.io().fate.clone()
    }
}
