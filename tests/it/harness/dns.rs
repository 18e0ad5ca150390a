//! A name server for a zone of a few lines, on a port of its own; gone when dropped.

use std::net::{SocketAddr, UdpSocket};
use std::thread::JoinHandle;

use hickory_resolver::proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

pub(crate) struct DnsServer {
    pub(crate) address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

struct Zone {
    records: Vec<Record>,
    /// Names for which it says SERVFAIL.
    failing: Vec<Name>,
}

impl DnsServer {
    /// Serves lines `name TYPE value`; `name FAIL` for a name that is asked for in vain.
    pub(crate) fn serving(lines: &str) -> Self {
        let zone = Zone::read(lines);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        let address = socket.local_addr().expect("a bound socket has an address");
        let thread = std::thread::spawn(move || {
            let mut space = [0; 4096];
            loop {
                let (length, peer) = socket.recv_from(&mut space).expect("the socket is open");
                let Ok(question) = Message::from_vec(&space[..length]) else { return };
                let answer = zone.answer(&question).to_vec().expect("an answer can be written");
                socket.send_to(&answer, peer).expect("the answer is sent");
            }
        });
        Self { address, thread: Some(thread) }
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        socket.send_to(b"stop", self.address).expect("it listens");
        self.thread.take().expect("it is stopped once").join().expect("it answered well");
    }
}

impl Zone {
    fn read(lines: &str) -> Self {
        let mut zone = Self { records: Vec::new(), failing: Vec::new() };
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, rest) = line.split_once(' ').expect("a name and more");
            let name = Name::from_ascii(format!("{name}.")).expect("a name");
            if rest == "FAIL" {
                zone.failing.push(name);
                continue;
            }
            let (kind, value) = rest.split_once(' ').expect("a type and a value");
            let data = match kind {
                "TXT" => RData::TXT(TXT::from_bytes(value.as_bytes().chunks(255).collect())),
                kind => {
                    let kind: RecordType = kind.parse().expect("a type");
                    RData::try_from_str(kind, value).expect("a value")
                }
            };
            zone.records.push(Record::from_rdata(name, 60, data));
        }
        zone
    }

    fn answer(&self, question: &Message) -> Message {
        let query: &Query = question.queries.first().expect("there is a question");
        let mut answer = Message::response(question.metadata.id, OpCode::Query);
        answer.metadata.recursion_available = true;
        answer.metadata.recursion_desired = true;
        answer.add_query(query.clone());
        if self.failing.contains(query.name()) {
            answer.metadata.response_code = ResponseCode::ServFail;
            return answer;
        }
        let named = || self.records.iter().filter(|record| record.name == *query.name());
        if named().next().is_none() {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        answer.add_answers(named().filter(|it| it.record_type() == query.query_type()).cloned());
        answer
    }
}
