//! Emulated boards as processes, and their serial ports as sockets.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vedette_wire::link::{Accumulator, Fed, LinkError, Message};

/// How long a board may take to connect its ports.
const CONNECT: Duration = Duration::from_secs(20);

/// A process that ends with its owner.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a command.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let program = command.get_program().to_os_string();
        command
            .spawn()
            .map(Self)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))
    }

    /// The child.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell otherwise.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The far end of a board's serial port.
#[derive(Debug)]
pub struct Port<M> {
    stream: TcpStream,
    accumulator: Accumulator<M>,
    /// Damaged frames so far.
    pub faults: Vec<LinkError>,
}

impl<M: Message> Port<M> {
    /// Writes a message to the board.
    ///
    /// # Errors
    /// When the board has gone.
    pub fn send(&mut self, message: &impl Message) -> io::Result<()> {
        let line = message.encode().map_err(io::Error::other)?;
        self.stream.write_all(&line)
    }

    /// Everything the board has said since the last call.
    ///
    /// # Errors
    /// When the board has gone.
    pub fn receive(&mut self) -> io::Result<Vec<M>> {
        let (mut bytes, mut messages) = ([0; 512], Vec::new());
        loop {
            let len = match self.stream.read(&mut bytes) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(messages),
                Err(error) => return Err(error),
            };
            let mut input = &bytes[..len];
            loop {
                match self.accumulator.feed(input) {
                    Fed::Consumed => break,
                    Fed::Message { message, rest } => {
                        messages.push(message);
                        input = rest;
                    }
                    Fed::Fault { error, rest } => {
                        self.faults.push(error);
                        input = rest;
                    }
                }
            }
        }
    }
}

/// A place where a board will connect a port.
#[derive(Debug)]
struct Awaited(TcpListener);

impl Awaited {
    fn new() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    fn argument(&self) -> io::Result<String> {
        Ok(format!("tcp:{}", self.0.local_addr()?))
    }

    fn connected<M: Message>(self) -> io::Result<Port<M>> {
        let deadline = Instant::now() + CONNECT;
        loop {
            match self.0.accept() {
                Ok((stream, _)) => {
                    stream.set_nodelay(true)?;
                    stream.set_nonblocking(true)?;
                    return Ok(Port { stream, accumulator: Accumulator::new(), faults: Vec::new() });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn emulator(image: &Path) -> Command {
    let mut command = Command::new("qemu-system-arm");
    command.args(["-M", "mps2-an386", "-display", "none", "-monitor", "none"]).arg("-kernel").arg(image);
    command
}

/// A node's board: the process, its modem port, its bench port.
///
/// # Errors
/// When the emulator cannot be started or does not connect.
pub fn start_node<A: Message, B: Message>(image: &Path, console: &Path) -> io::Result<(Process, Port<A>, Port<B>)> {
    let (modem, bench) = (Awaited::new()?, Awaited::new()?);
    let mut command = emulator(image);
    command.arg("-serial").arg(format!("file:{}", console.display()));
    command.args(["-serial", &modem.argument()?, "-serial", &bench.argument()?]).stdin(Stdio::null());
    let process = Process::start(&mut command)?;
    Ok((process, modem.connected()?, bench.connected()?))
}

/// The concentrator's board: the process, its modem port, and the device that is its line to the gateway.
///
/// # Errors
/// When the emulator cannot be started or does not connect.
pub fn start_concentrator<A: Message>(image: &Path, console: &Path) -> io::Result<(Process, Port<A>, PathBuf)> {
    let modem = Awaited::new()?;
    let mut command = emulator(image);
    command.args(["-serial", "pty", "-serial", &modem.argument()?]);
    command.arg("-serial").arg(format!("file:{}", console.display())).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = Process::start(&mut command)?;
    let mut words = String::new();
    if let Some(output) = process.child().stdout.take() {
        BufReader::new(output).read_line(&mut words)?;
    }
    let device = words.split_whitespace().find(|word| word.starts_with("/dev/"));
    let device =
        device.ok_or_else(|| io::Error::other(format!("expected the path of a terminal, got {words:?}")))?.into();
    Ok((process, modem.connected()?, device))
}
