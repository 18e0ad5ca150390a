//! Which servers carry for which channels, and with which couriers.

use std::sync::Arc;

use anyhow::Context as _;

use crate::clock::SharedClock;
use crate::config::{Config, Destination, DestinationKind, Endpoint, MailServer, Transport};
use crate::crosspost::WebhookCourier;
use crate::dispatch::{ChannelSpec, CourierFactory, GroupSpec, Limits, ServerSpec};
use crate::outbox::OutboxCourier;
use crate::smtp::{Deadlines, SmtpCourier};

/// All mail in one group with all mail servers, each destination in one of its own. Fails when a courier cannot be built: a
/// bad CA file, a bad header.
pub(super) fn groups(config: &Config, clock: &SharedClock) -> anyhow::Result<Vec<GroupSpec>> {
    let mut groups = vec![mail_group(config)?];
    for destination in config.destinations.values() {
        let courier = destination_courier(config, destination, clock)
            .with_context(|| format!("set up the destination `{}`", destination.name))?;
        let server = ServerSpec {
            name: destination.name.clone(),
            // One after the other, so that posts arrive in order.
            connections: 1,
            weight: 1,
            rate: None,
            daily_quota: None,
            domains: Vec::new(),
            signs: false,
            courier,
        };
        let channel = ChannelSpec {
            name: format!("destination:{}", destination.name),
            retry: destination.retry.clone(),
            servers: vec![0],
            send_window: None,
            warm_up: None,
        };
        groups.push(GroupSpec {
            channels: vec![channel],
            servers: vec![server],
            ..GroupSpec::default()
        });
    }
    Ok(groups)
}

fn mail_group(config: &Config) -> anyhow::Result<GroupSpec> {
    let mut servers = Vec::new();
    for server in config.mail.servers.values() {
        servers.push(ServerSpec {
            name: server.name.clone(),
            connections: server.connections,
            weight: server.weight,
            rate: server.rate,
            daily_quota: server.daily_quota,
            domains: server.domains.clone(),
            signs: server.dkim,
            courier: mail_courier(server)
                .with_context(|| format!("set up the mail server `{}`", server.name))?,
        });
    }
    let warm_ups = &config.mail.warm_up;
    let channels = config.newsletters.values().map(|newsletter| {
        let from = newsletter.from.as_ref().unwrap_or(&config.mail.from);
        let domain = from.address.domain().to_ascii_lowercase();
        let carries = |server: &ServerSpec| newsletter.servers.contains(&server.name);
        ChannelSpec {
            name: newsletter.mail_channel(),
            retry: newsletter.retry.clone(),
            servers: (0..servers.len()).filter(|&at| carries(&servers[at])).collect(),
            send_window: newsletter.send_window.clone(),
            warm_up: warm_ups.contains_key(&domain).then_some(domain),
        }
    });
    let channels = channels.collect();
    let limits =
        Limits { domains: config.mail.domains.clone(), others: Some(config.mail.default_domain) };
    Ok(GroupSpec { channels, servers, limits, warm_ups: warm_ups.clone() })
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
