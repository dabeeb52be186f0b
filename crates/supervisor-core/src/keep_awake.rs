//! Whether the machine is kept awake: while a task runs, the owner wants it and the battery allows it;
//! never else.

use jiff::{SignedDuration, Timestamp};
use protocol::{KeepAwake, KeepAwakePreference};

use crate::effect::Effect;
use crate::facts::Power;

/// How often a battery is looked at, and only while a task runs.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(2);
/// A system that refused is asked again, while the task goes on.
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// Points above the limit that a battery must have gained before it counts as enough again.
const MARGIN: u8 = 5;

#[derive(Debug, Default, Clone)]
pub(crate) struct Awake {
    state: State,
    power: Option<Power>,
    looked_at: Option<Timestamp>,
    /// The battery was below the limit when it was last looked at.
    low: bool,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum State {
    #[default]
    Released,
    Asked,
    Held,
    Refused {
        why: String,
        at: Timestamp,
    },
}

impl Awake {
    pub(crate) fn power_seen(&mut self, power: Power) {
        self.power = Some(power);
    }

    pub(crate) fn asked(&mut self, failure: Option<String>, now: Timestamp) {
        // What was given back meanwhile is not held.
        if self.state == State::Asked {
            self.state = match failure {
                None => State::Held,
                Some(why) => State::Refused { why, at: now },
            };
        }
    }

    pub(crate) fn decide(
        &mut self,
        task_runs: bool,
        wanted: KeepAwakePreference,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !task_runs {
            (self.power, self.looked_at, self.low) = (None, None, false);
        } else if wanted.on && self.is_look_due(now) {
            self.looked_at = Some(now);
            effects.push(Effect::LookAtPower);
        }
        self.low = self.power.is_some_and(|power| power.is_low(wanted, self.low));
        let hold = task_runs && wanted.on && self.power.is_some() && !self.low;
        let again = match &self.state {
            State::Released => true,
            State::Refused { at, .. } => is_past(*at, TRY_AGAIN, now),
            State::Asked | State::Held => false,
        };
        if hold && again {
            self.state = State::Asked;
            effects.push(Effect::KeepAwake(true));
        } else if !hold && self.state != State::Released {
            let had = matches!(self.state, State::Asked | State::Held);
            self.state = State::Released;
            effects.extend(had.then_some(Effect::KeepAwake(false)));
        }
        effects
    }

    /// A battery may run low; where there is none, none comes while the task runs.
    fn is_look_due(&self, now: Timestamp) -> bool {
        let Some(looked_at) = self.looked_at else { return true };
        match self.power {
            Some(Power::Battery { .. }) => is_past(looked_at, LOOK_EVERY, now),
            Some(Power::NoBattery | Power::Unknown) | None => false,
        }
    }

    pub(crate) fn next_turn(
        &self,
        task_runs: bool,
        wanted: KeepAwakePreference,
    ) -> Option<Timestamp> {
        if !task_runs || !wanted.on {
            return None;
        }
        let battery = self.looked_at.filter(|_| matches!(self.power, Some(Power::Battery { .. })));
        let look = battery.and_then(|at| at.checked_add(LOOK_EVERY).ok());
        let again = match &self.state {
            State::Refused { at, .. } => at.checked_add(TRY_AGAIN).ok(),
            State::Released | State::Asked | State::Held => None,
        };
        [look, again].into_iter().flatten().min()
    }

    pub(crate) fn shown(&self, task_runs: bool, wanted: KeepAwakePreference) -> KeepAwake {
        let held = self.state == State::Held;
        let why = || {
            if !wanted.on {
                return Some("Staying awake is switched off.".to_owned());
            }
            if let State::Refused { why, .. } = &self.state {
                return Some(format!("The system refused: {why}."));
            }
            let Some(Power::Battery { percent, .. }) = self.power.filter(|_| self.low) else {
                return None;
            };
            let limit = wanted.battery_floor_percent;
            Some(match percent {
                Some(percent) => format!("The battery is at {percent} %; your limit is {limit} %."),
                None => "It runs on a battery, and nobody can say how full that is.".to_owned(),
            })
        };
        KeepAwake { held, why_not: if task_runs && !held { why() } else { None } }
    }
}

impl Power {
    /// On battery and below the limit, or not known to be above it. Where nothing at all can be read
    /// it is not low: that a task is lost to sleep is then the surer harm, and readings of desktops
    /// with a UPS lie.
    fn is_low(self, wanted: KeepAwakePreference, was_low: bool) -> bool {
        let floor = wanted.battery_floor_percent;
        let enough = if was_low { floor.saturating_add(MARGIN).min(100) } else { floor };
        match self {
            Self::NoBattery
            | Self::Unknown
            | Self::Battery { plugged: Some(true), .. }
            | Self::Battery { plugged: None, percent: None } => false,
            Self::Battery { percent: Some(percent), .. } => percent < enough,
            Self::Battery { plugged: Some(false), percent: None } => floor > 0,
        }
    }
}

/// A clock that was set back does not put it off.
pub(crate) fn is_past(at: Timestamp, wait: SignedDuration, now: Timestamp) -> bool {
    at > now || at.duration_until(now) >= wait
}
