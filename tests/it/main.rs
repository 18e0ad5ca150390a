//! Stories about Postrider as a whole, and about its walls.

mod archive;
mod bad_input;
mod cli;
mod corrections;
mod crash;
mod deliveries;
mod doctor;
mod fence;
mod harness;
mod identity;
mod looks;
mod loop_of_posts;
mod mail_checks;
mod names;
mod nodes;
mod reload;
mod rollout;
mod servers;
mod smtp;
mod store;
mod stuck;
mod walk;
mod watching;
mod webhook;
mod wishes;
mod withdrawals;
