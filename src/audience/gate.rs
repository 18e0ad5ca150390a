//! Who may sign up: people in their own time, and machines only as fast as is harmless.
//!
//! Each form carries a signed stamp that says when it was handed out. While many sign up it must also carry work done on the
//! ALTCHA protocol, or have waited. Whoever is turned away is told what to do: nobody is lost who means it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use altcha::{
    Challenge, CreateChallengeOptions, Payload, VerifySolutionOptions, create_challenge,
    verify_solution,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;

use super::Audience;
use super::limit::{Admission, SignupLimit};
use crate::domain::{EmailAddress, Rate};

/// What each try costs to make up, of which 256 are needed on average.
const COST: u32 = if cfg!(test) { 1 } else { 5_000 };
/// Whoever cannot work waits so long.
const PATIENCE: SignedDuration = SignedDuration::from_secs(20);
/// No solution is longer.
const LONGEST: usize = 4_096;

/// Somebody who wants in.
#[derive(Clone, Copy, Debug)]
pub struct Knock<'a> {
    pub address: &'a EmailAddress,
    pub visitor: IpAddr,
    pub stamp: &'a str,
    /// What the challenge's solution is, in base64.
    pub work: &'a str,
    /// Whether a form without a stamp will do, as long as it is quiet: one that was written by hand on a site of ours.
    pub by_hand: bool,
}

/// What must be done before somebody may sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// Send the form again: its stamp was missing, forged, too fresh, or too old.
    Again,
    /// Solve the challenge, or wait: many sign up.
    Work,
    /// Come back later.
    Later(SignedDuration),
}

/// What a fresh form carries.
#[derive(Clone, Debug)]
pub struct Pass {
    pub stamp: String,
    /// What has to be solved first, as JSON, while many sign up.
    pub challenge: Option<Challenge>,
}

impl Pass {
    /// How long to wait instead of solving the challenge.
    pub const PATIENCE: SignedDuration = PATIENCE;
}

impl Audience<'_> {
    /// What a form carries that is handed out now.
    pub fn pass(&self, limit: &SignupLimit) -> Pass {
        let now = self.now();
        let stamp = self.store.keyring().form_stamp(now);
        let is_stormy = limit.looks_stormy(self.config.signup.challenge_above, now);
        let challenge = is_stormy.then(|| self.challenge(&stamp)).flatten();
        Pass { stamp, challenge }
    }

    /// Whether the form came in time. Counts as a try.
    pub fn check(&self, limit: &SignupLimit, knock: &Knock<'_>) -> Result<(), Turned> {
        let (now, rules) = (self.now(), &self.config.signup);
        let is_stormy = limit.is_stormy(rules.challenge_above, now);
        let Some(stamped_at) = self.store.keyring().stamped_at(knock.stamp) else {
            let is_enough = knock.by_hand && knock.stamp.is_empty() && !is_stormy;
            return if is_enough { Ok(()) } else { Err(turned(is_stormy)) };
        };
        let age = now.duration_since(stamped_at);
        if age < rules.fastest || age > rules.good_for {
            return Err(turned(is_stormy));
        }
        if !is_stormy {
            return Ok(());
        }
        // First what costs least, and last what takes something from others.
        if !limit.may_use(knock.stamp, now) {
            return Err(Turned::Work);
        }
        let is_earned = self.is_solved(knock) || (age >= PATIENCE && self.may_wait(limit));
        let until = stamped_at.saturating_add(rules.good_for).unwrap_or(now);
        if is_earned && limit.use_up(knock.stamp, until, now) { Ok(()) } else { Err(Turned::Work) }
    }

    /// Counts somebody in who came through `check`.
    pub fn admit(&self, limit: &SignupLimit, knock: &Knock<'_>) -> Result<(), Turned> {
        let who = (knock.visitor, knock.address);
        limit.admit(who, &self.config.signup.limits, self.now()).map_err(Turned::Later)
    }

    /// Whether the address of somebody who met all that is asked is mailed. Counts as a mail.
    pub fn admit_address(&self, limit: &SignupLimit, address: &EmailAddress) -> Admission {
        limit.admit_address(address, &self.config.signup.limits, self.now())
    }

    /// As many as there are in quiet times.
    fn may_wait(&self, limit: &SignupLimit) -> bool {
        let count = self.config.signup.challenge_above.clamp(1, 60);
        limit.admit_patient(Rate { count, per: SignedDuration::from_mins(1) }, self.now())
    }

    fn challenge(&self, stamp: &str) -> Option<Challenge> {
        let made = create_challenge(CreateChallengeOptions {
            cost: COST,
            data: Some(BTreeMap::from([("stamp".to_owned(), stamp.into())])),
            hmac_signature_secret: Some(self.store.keyring().challenge_key()),
            ..CreateChallengeOptions::default()
        });
        made.inspect_err(|error| tracing::error!(%error, "a challenge could not be made")).ok()
    }

    /// Whether the work was done for this very form.
    fn is_solved(&self, knock: &Knock<'_>) -> bool {
        let payload = (knock.work.len() <= LONGEST)
            .then(|| STANDARD.decode(knock.work).ok())
            .flatten()
            .and_then(|json| serde_json::from_slice::<Payload>(&json).ok());
        let Some(Payload { challenge, solution }) = payload else { return false };
        let stamp = challenge.parameters.data.as_ref().and_then(|data| data.get("stamp"));
        if stamp.and_then(|stamp| stamp.as_str()) != Some(knock.stamp) {
            return false;
        }
        let key = self.store.keyring().challenge_key();
        let verified = verify_solution(VerifySolutionOptions::new(&challenge, &solution, key));
        verified.is_ok_and(|result| result.verified)
    }
}

fn turned(is_stormy: bool) -> Turned {
    if is_stormy { Turned::Work } else { Turned::Again }
}

/// What the visitor's browser does with a challenge.
#[cfg(test)]
pub(crate) fn solved(challenge: &Challenge) -> String {
    use altcha::{SolveChallengeOptions, solve_challenge};
    let solution = solve_challenge(SolveChallengeOptions::new(challenge)).unwrap().unwrap();
    let payload = Payload { challenge: challenge.clone(), solution };
    STANDARD.encode(serde_json::to_vec(&payload).unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::fixture::House;

    fn knock<'a>(address: &'a EmailAddress, stamp: &'a str, work: &'a str) -> Knock<'a> {
        Knock { address, visitor: "192.0.2.1".parse().unwrap(), stamp, work, by_hand: false }
    }

    fn seconds(count: i64) -> SignedDuration {
        SignedDuration::from_secs(count)
    }

    #[tokio::test]
    async fn a_form_comes_back_neither_too_soon_nor_too_late() {
        let (house, limit) = (House::new().await, SignupLimit::default());
        let ann = "ann@example.org".parse().unwrap();
        let stamp = house.audience().pass(&limit).stamp;
        let check = || house.audience().check(&limit, &knock(&ann, &stamp, ""));
        assert_eq!(check(), Err(Turned::Again), "too fast");
        house.clock.advance(seconds(2));
        assert_eq!(check(), Ok(()));
        house.clock.advance(seconds(24 * 3600));
        assert_eq!(check(), Err(Turned::Again), "too old");
        for forged in ["", "x", &"A".repeat(43)] {
            let again = house.audience().check(&limit, &knock(&ann, forged, ""));
            assert_eq!(again, Err(Turned::Again), "{forged}");
        }
        let by_hand = Knock { by_hand: true, ..knock(&ann, "", "") };
        assert_eq!(house.audience().check(&limit, &by_hand), Ok(()));
    }

    #[tokio::test]
    async fn in_a_storm_work_opens_once_and_only_for_its_own_form() {
        let mut house = House::new().await;
        house.config.signup.challenge_above = 0;
        let (house, limit) = (house, SignupLimit::default());
        let ann = "ann@example.org".parse().unwrap();
        let (pass, other) = (house.audience().pass(&limit), house.audience().pass(&limit));
        let work = solved(&pass.challenge.unwrap());
        house.clock.advance(seconds(3));
        let check =
            |stamp: &str, work: &str| house.audience().check(&limit, &knock(&ann, stamp, work));
        assert_eq!(check(&pass.stamp, ""), Err(Turned::Work));
        assert_eq!(check(&pass.stamp, "nonsense"), Err(Turned::Work));
        assert_eq!(check(&other.stamp, &work), Err(Turned::Work), "done for another form");
        let decoded = String::from_utf8(STANDARD.decode(&work).unwrap()).unwrap();
        let cheap = STANDARD.encode(decoded.replace("\"keyPrefix\":\"00\"", "\"keyPrefix\":\"\""));
        assert_eq!(check(&pass.stamp, &cheap), Err(Turned::Work), "made easier");
        assert_eq!(check(&pass.stamp, &work), Ok(()));
        assert_eq!(check(&pass.stamp, &work), Err(Turned::Work), "used");
        let by_hand = Knock { by_hand: true, ..knock(&ann, "", "") };
        assert_eq!(house.audience().check(&limit, &by_hand), Err(Turned::Work));
    }

    #[tokio::test]
    async fn a_form_that_comes_twice_takes_nobodys_turn() {
        let mut house = House::new().await;
        house.config.signup.challenge_above = 0;
        let (house, limit) = (house, SignupLimit::default());
        let ann = "ann@example.org".parse().unwrap();
        let (worked, other) = (house.audience().pass(&limit), house.audience().pass(&limit));
        let work = solved(&worked.challenge.unwrap());
        house.clock.advance(PATIENCE);
        let check =
            |stamp: &str, work: &str| house.audience().check(&limit, &knock(&ann, stamp, work));
        assert_eq!(check(&worked.stamp, &work), Ok(()));
        assert_eq!(check(&worked.stamp, ""), Err(Turned::Work), "used");
        assert_eq!(check(&other.stamp, ""), Ok(()), "the only one of this minute who waited");
    }

    #[tokio::test]
    async fn whoever_cannot_work_waits_and_is_let_in_one_by_one() {
        let mut house = House::new().await;
        house.config.signup.challenge_above = 0;
        let (house, limit) = (house, SignupLimit::default());
        let ann = "ann@example.org".parse().unwrap();
        let stamps: Vec<_> = (0..5).map(|_| house.audience().pass(&limit).stamp).collect();
        house.clock.advance(PATIENCE);
        let mut let_in = stamps
            .iter()
            .map(|stamp| house.audience().check(&limit, &knock(&ann, stamp, "")).is_ok());
        assert_eq!(let_in.next(), Some(true));
        assert!(
            !let_in.any(|is_in| is_in),
            "a machine that waits with many forms is let in as one"
        );
    }
}
