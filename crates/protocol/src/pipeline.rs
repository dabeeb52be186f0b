//! What a pipeline says to send a job to a runner.

use crate::{ResourceClass, RunnerName};

/// A whole `.circleci/config.yml`, as small as one can be: `machine: true` and the resource class are
/// what sends a job to a machine runner (CircleCI's runner documentation, "Getting started").
pub fn pipeline(name: &RunnerName, class: &ResourceClass) -> String {
    format!(
        "\
# For {class}: {name} is one of its runners.
version: 2.1
jobs:
  build:
    machine: true
    resource_class: {class}
    steps:
      - checkout
      - run: echo \"Hello from $(hostname)\"
workflows:
  build:
    jobs: [build]
"
    )
}
