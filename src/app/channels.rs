//! Which courier serves which channel.

use std::sync::Arc;

use anyhow::Context as _;

use crate::clock::SharedClock;
use crate::config::{Config, Destination, DestinationKind, Endpoint, MailServer, Transport};
use crate::crosspost::WebhookCourier;
use crate::dispatch::{ChannelSpec, CourierFactory};
use crate::outbox::OutboxCourier;
use crate::smtp::{Deadlines, SmtpCourier};

/// One channel per mail server and destination. Fails when a courier cannot be built: a bad CA file, a bad header.
pub(super) fn channels(config: &Config, clock: &SharedClock) -> anyhow::Result<Vec<ChannelSpec>> {
    let mut channels = Vec::new();
    for server in config.mail.servers.values() {
        channels.push(ChannelSpec {
            name: format!("mail:{}", server.name),
            connections: server.connections,
            retry: config.mail.retry.clone(),
            courier: mail_courier(server)
                .with_context(|| format!("set up the mail server `{}`", server.name))?,
        });
    }
    for destination in config.destinations.values() {
        channels.push(ChannelSpec {
            name: format!("destination:{}", destination.name),
            // One after the other, so that posts arrive in order.
            connections: 1,
            retry: destination.retry.clone(),
            courier: destination_courier(config, destination, clock)
                .with_context(|| format!("set up the destination `{}`", destination.name))?,
        });
    }
    Ok(channels)
}

fn mail_courier(server: &MailServer) -> anyhow::Result<CourierFactory> {
    match &server.transport {
        Transport::Outbox(folder) => {
            let folder = folder.clone();
            Ok(Arc::new(move || Box::new(OutboxCourier::for_mail(&folder))))
        }
        Transport::Smtp(transport) => {
            // Built once here so that a bad CA file is told at start, not in a worker.
            SmtpCourier::new(transport, server, Deadlines::default())?;
            let (transport, server) = (transport.clone(), server.clone());
            Ok(Arc::new(move || {
                let courier = SmtpCourier::new(&transport, &server, Deadlines::default());
                Box::new(courier.expect("the same courier could be built at start"))
            }))
        }
    }
}

fn destination_courier(
    config: &Config,
    destination: &Destination,
    clock: &SharedClock,
) -> anyhow::Result<CourierFactory> {
    let DestinationKind::Webhook(webhook) = &destination.kind;
    let (destination, clock) = (destination.clone(), Arc::clone(clock));
    let public_url = config.server.public_url.clone();
    match &webhook.endpoint {
        Endpoint::Outbox(folder) => {
            let folder = folder.clone();
            Ok(Arc::new(move || {
                Box::new(OutboxCourier::for_calls(
                    &folder,
                    &destination,
                    &public_url,
                    Arc::clone(&clock),
                ))
            }))
        }
        Endpoint::Http { .. } => {
            WebhookCourier::new(&destination, &public_url, Arc::clone(&clock))?;
            Ok(Arc::new(move || {
                let courier = WebhookCourier::new(&destination, &public_url, Arc::clone(&clock));
                Box::new(courier.expect("the same courier could be built at start"))
            }))
        }
    }
}
