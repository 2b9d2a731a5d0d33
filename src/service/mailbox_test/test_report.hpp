// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a test of a mailbox found: a list of steps for each leg, and of a step that failed the server's words,
// the cause in ours and a remedy.
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace syncline::service {

enum class TestLeg : std::uint8_t { incoming, outgoing, act };

/// In the order in which they are taken.
enum class TestStepName : std::uint8_t {
  find_server,  ///< Autodiscover
  resolve,
  connect,
  tls,
  authenticate,
  open_inbox,
  send_to_self,
  find_message,
  read_calendar,
  write_calendar,
  read_contacts,
  write_contacts,
  read_tasks,
  write_tasks,
};

enum class StepState : std::uint8_t { not_run, running, success, failure };

std::string_view to_string(TestLeg leg) noexcept;
std::string_view to_string(TestStepName step) noexcept;
std::string_view to_string(StepState state) noexcept;

struct StepFailure {
  std::string error;       ///< Error::code
  std::string said;        ///< by the server, or by whoever noticed
  std::string cause;       ///< id in the table of causes
  std::string cause_text;  ///< in our words
  std::string remedy;
  bool passes = false;  ///< worth another try as it is
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};

struct TestStep {
  TestLeg leg = TestLeg::incoming;
  TestStepName name = TestStepName::resolve;
  StepState state = StepState::not_run;
  std::string detail = {};  ///< what was seen, or why it was not run
  std::chrono::milliseconds took{0};
  std::optional<StepFailure> failure = std::nullopt;
};

struct TestReport {
  std::vector<TestStep> steps = {};
  std::string endpoint = {};
  std::string server_version = {};
  std::optional<SystemTime> started_at = std::nullopt;
  std::optional<SystemTime> ended_at = std::nullopt;
  /// Why it could not begin: "not-approved", "rejected-by-rules", …; then there are no steps.
  std::optional<StepFailure> refused = std::nullopt;

  TestStep* find(TestLeg leg, TestStepName name) noexcept;
  bool failed() const noexcept;
  /// Whether nothing failed but what passes by itself.
  bool may_pass() const noexcept;
  /// The longest wait that a server asked for.
  std::optional<std::chrono::milliseconds> retry_after() const noexcept;
};

/// {"startedAt","endedAt","endpoint","serverVersion","refused","steps":[{"leg","step","state","detail",
/// "tookMs","failure":{"error","said","cause","text","remedy","passes"}}]}; instants as
/// RFC 3339 has them.
boost::json::object to_json(const TestReport& report);

}  // namespace syncline::service
