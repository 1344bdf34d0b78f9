//! The last step: what was gathered becomes a [`Record`].

use super::Stamp;
use super::amounts;
use super::gather::Gather;
use super::leaving::Seen;
use super::minutes::Minutes;
use super::model::{Event, Record};
use crate::vocabulary::Moment;

impl Gather {
    /// The record, as far as the entries went.
    pub(super) fn finish(mut self) -> Record {
        self.settle();
        let opened = self.first.unwrap_or_default();
        let profile = self.limits.profile().cloned();
        let told = self.course.finish(opened, self.last, profile.as_ref());
        let until: Moment = told.until.moment;
        let end = Stamp(told.until.wall);
        let mut header = self.header;
        header.infusion_started_at = told.started.map(|(_, stamp)| stamp);
        header.infusion_ended_at = told.ended;
        header.closed_at = told.closed;
        header.closed_by = self.entered.closed_by.filter(|_| told.closed.is_some());
        header.upto = self.last.wall.into();
        header.profile = self
            .openings
            .iter()
            .find_map(|opening| opening.profile.clone());
        for opening in &self.openings {
            if let Some(program) = &opening.program
                && !header.programs.contains(program)
            {
                header.programs.push(program.clone());
            }
            if let Some(version) = opening.engine_version
                && !header.engine_versions.contains(&version)
            {
                header.engine_versions.push(version);
            }
        }
        let (minutes, series, near_alarms, series_left_out) =
            self.minutes.map(Minutes::finish).unwrap_or_default();
        let cuff = self.cuffs.finish();
        let alarms = self.alarms.finish(until);
        let (rates, totals) = amounts::totals(
            &told.runs,
            self.entered.rates,
            &self.entered.drugs,
            &self.pump,
            until,
        );
        let (limits, limit_changes) = self.limits.finish(end);
        let (checklist, checklist_missing) = self.follower.finish(self.last, told.closed.is_some());
        let seen = Seen {
            cuff: &cuff,
            series: &series,
            scores: &self.entered.scores,
            alarms: &alarms,
            lengths: &told.lengths,
            started: header.infusion_started_at,
        };
        let rems = seen.rems();
        for gap in &self.gaps {
            let minute = minutes
                .iter()
                .rposition(|minute| minute.at <= gap.at)
                .unwrap_or(0);
            self.events.push(Event {
                seq: gap.from_seq,
                at: gap.at,
                minute,
                kind: "gap",
                text: format!(
                    "Entries {} to {} could not be kept",
                    gap.from_seq, gap.to_seq
                ),
                manual: false,
            });
        }
        self.events.sort_by_key(|event| event.seq);
        Record {
            session: self.session,
            header,
            feeds: self.places.finish(),
            phases: told.phases,
            baseline: self.baseline,
            cuff,
            minutes,
            series,
            series_left_out,
            near_alarms,
            alarms,
            device_alerts: self.device_alerts,
            limits,
            limit_changes,
            drugs: self.entered.drugs,
            rates,
            pump: self.pump,
            totals,
            scores: self.entered.scores,
            notes: self.entered.notes,
            overrides: self.entered.overrides,
            signatures: self.entered.signatures,
            corrections: self.entered.corrections,
            refusals: self.entered.refusals,
            restarts: self.restarts,
            gaps: self.gaps,
            extremes: self.extremes.into_values().collect(),
            lengths: told.lengths,
            checklist,
            checklist_missing,
            checks: self.entered.checks,
            rems,
            events: self.events,
        }
    }
}
