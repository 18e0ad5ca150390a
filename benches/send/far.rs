//! How far away a server is, as a mail client feels it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use crate::measure::median;

/// Seconds between a command and its answer.
pub(crate) fn round_trip(to: SocketAddr) -> anyhow::Result<f64> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let mut times = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        stream.write_all(b"NOOP\r\n")?;
        line.clear();
        answers.read_line(&mut line)?;
        times.push(begun.elapsed().as_secs_f64());
    }
    Ok(median(times))
}
