//! Flows: the jobs of one edition, or the letters of one channel, by domain. Lanes go one before the other; flows of a
//! lane, and domains of a flow, take turns.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::ChannelSpec;
use super::super::job::Job;
use crate::domain::{EditionId, Lane};

#[derive(Default)]
pub(super) struct Flows([VecDeque<Flow>; 4]);

pub(super) struct Flow {
    pub(super) channel: Arc<ChannelSpec>,
    edition: Option<EditionId>,
    domains: VecDeque<(Arc<str>, VecDeque<Job>)>,
}

impl Flow {
    /// Whether its hours of the day are now; else when they begin.
    pub(super) fn may_go(&self, now: Timestamp) -> Result<(), Option<Timestamp>> {
        let opens = self.channel.send_window.as_ref().map_or(now, |window| window.next_open(now));
        if opens <= now { Ok(()) } else { Err(Some(opens)) }
    }

    fn is_of(&self, job: &Job) -> bool {
        self.edition == job.edition() && Arc::ptr_eq(&self.channel, &job.channel)
    }

    fn jobs_of(&mut self, domain: &Arc<str>) -> &mut VecDeque<Job> {
        // Domains that were just used are at the end; and a batch's jobs are often for few domains.
        let at = self.domains.iter().rposition(|(known, _)| known == domain);
        let at = at.unwrap_or_else(|| {
            self.domains.push_back((Arc::clone(domain), VecDeque::new()));
            self.domains.len() - 1
        });
        &mut self.domains[at].1
    }
}

impl Flows {
    pub(super) fn push_back(&mut self, job: Job) {
        let domain = Arc::clone(&job.domain);
        self.flow_of(&job).jobs_of(&domain).push_back(job);
    }

    pub(super) fn push_front(&mut self, job: Job) {
        let domain = Arc::clone(&job.domain);
        self.flow_of(&job).jobs_of(&domain).push_front(job);
    }

    fn flow_of(&mut self, job: &Job) -> &mut Flow {
        let lane = &mut self.0[place(job.lane)];
        let at = lane.iter().position(|flow| flow.is_of(job)).unwrap_or_else(|| {
            lane.push_back(Flow {
                channel: Arc::clone(&job.channel),
                edition: job.edition(),
                domains: VecDeque::new(),
            });
            lane.len() - 1
        });
        &mut lane[at]
    }

    /// Takes the first job for which `may` says yes. It is asked about the first job of each domain of each flow, and must
    /// say the same of all jobs of a domain.
    pub(super) fn take(&mut self, mut may: impl FnMut(&Flow, &Job) -> bool) -> Option<Job> {
        for lane in &mut self.0 {
            for at in 0..lane.len() {
                let Some(domain) = first_that_may(&lane[at], &mut may) else { continue };
                let mut flow = lane.remove(at)?;
                let (name, mut jobs) = flow.domains.remove(domain)?;
                let job = jobs.pop_front();
                if !jobs.is_empty() {
                    flow.domains.push_back((name, jobs));
                }
                if !flow.domains.is_empty() {
                    lane.push_back(flow);
                }
                return job;
            }
        }
        None
    }

    /// Takes out all jobs that are unwanted.
    pub(super) fn remove(&mut self, unwanted: impl Fn(&Job) -> bool) -> Vec<Job> {
        let mut removed = Vec::new();
        for lane in &mut self.0 {
            for flow in lane.iter_mut() {
                for (_, jobs) in &mut flow.domains {
                    let (gone, kept): (VecDeque<Job>, VecDeque<Job>) =
                        std::mem::take(jobs).into_iter().partition(&unwanted);
                    *jobs = kept;
                    removed.extend(gone);
                }
                flow.domains.retain(|(_, jobs)| !jobs.is_empty());
            }
            lane.retain(|flow| !flow.domains.is_empty());
        }
        removed
    }
}

fn first_that_may(flow: &Flow, may: &mut impl FnMut(&Flow, &Job) -> bool) -> Option<usize> {
    flow.domains.iter().position(|(_, jobs)| jobs.front().is_some_and(|job| may(flow, job)))
}

fn place(lane: Lane) -> usize {
    match lane {
        Lane::Letter => 0,
        Lane::Instant => 1,
        Lane::Digest => 2,
        Lane::Announcement => 3,
    }
}
