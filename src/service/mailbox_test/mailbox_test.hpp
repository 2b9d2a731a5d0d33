// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One test of one mailbox: everything that a synchronisation will need, step by step, by the code that
// synchronises. What it makes on the server bears our mark, is private, is removed again, and goes to nobody
// but the mailbox itself.
#include <functional>

#include "base/async.hpp"
#include "service/engine/connections.hpp"
#include "service/mailbox_test/test_report.hpp"
#include "service/organisation/mailbox_gate.hpp"

namespace syncline::service {

class Organisation;

struct MailboxTestSettings {
  std::chrono::milliseconds step_time = std::chrono::seconds(60);     ///< the longest wait in one step
  std::chrono::milliseconds arrival_time = std::chrono::seconds(90);  ///< for the test message
  std::chrono::milliseconds arrival_pause = std::chrono::seconds(1);
  /// How long it is looked for what a write that got no answer may yet make.
  std::chrono::milliseconds late_item_time = std::chrono::seconds(10);
};

/// Told after each change of a step.
using OnTestStep = std::function<void(const TestReport&)>;

/// All must outlive it. Connections are made anew, under the terms of `connections`. What fails stands in
/// the report; errors are of the machine itself (domain local).
Async<TestReport> test_mailbox(Organisation& organisation, const Connections& connections,
                               const MailboxUnderTest& mailbox, MailboxTestSettings settings,
                               OnTestStep on_step);

/// A failure as the table of causes has it.
StepFailure failure_of(const Error& error);

}  // namespace syncline::service
