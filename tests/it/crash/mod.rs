//! Weather: the real daemon is killed, cut off from its disk or its database, and told the wrong time, in mid-edition.
//!
//! Each story ends with the same audit: everybody has the mail, what came twice was in flight at a kill and was called
//! uncertain first, and the ledger says of every delivery what the mail server says.

mod clock;
mod database;
mod images;
mod kills;
mod ledger;
mod nodes;
mod rig;
