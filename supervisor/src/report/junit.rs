//! Many runs together, as JUnit has them: a suite for each fault model, a case for each seed.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{
    summary::{Case, Summary},
    text::reproduction,
};
use crate::store::{State, failure::Kind, text::shell_command};

/// The report.
///
/// # Errors
/// When it cannot be written as XML.
pub fn junit(summary: &Summary) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("simrun");
    for model in &summary.simulation.models {
        let mut suite = TestSuite::new(model.as_str());
        let cases = summary.cases.iter().filter(|case| case.model == *model);
        suite.add_test_cases(cases.map(|case| one(case, summary)));
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn one(case: &Case, summary: &Summary) -> TestCase {
    let bug = summary
        .bugs
        .iter()
        .find(|bug| case.signature.as_ref().is_some_and(|signature| *signature == bug.signature));
    let status = match case.state {
        State::Succeeded => TestCaseStatus::success(),
        state => {
            let is_result = state.is_bad() && bug.is_none_or(|bug| bug.kind != Kind::NoResult);
            let kind = if is_result { NonSuccessKind::Failure } else { NonSuccessKind::Error };
            let mut status = TestCaseStatus::non_success(kind);
            status.set_type(bug.map_or(state.name(), |bug| bug.kind.name()));
            status.set_message(case.title.as_deref().unwrap_or(state.name()));
            if let Some(bug) = bug {
                let of_this = super::summary::Bug { first: case.clone(), ..bug.clone() };
                status.set_description(format!(
                    "again with: {}\n{}",
                    reproduction(&of_this, summary),
                    bug.stack.join("\n")
                ));
            }
            status
        }
    };
    let mut test = TestCase::new(format!("seed {}", case.seed), status);
    test.set_classname(shell_command(&summary.simulation.command));
    test.set_time(Duration::from_nanos(case.wall_ns));
    test
}
