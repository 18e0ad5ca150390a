//! Stories about Postrider as a whole, and about its walls.

mod harness;
mod smtp;
mod webhook;
