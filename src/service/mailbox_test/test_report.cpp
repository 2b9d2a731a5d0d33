// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/mailbox_test/test_report.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "time/civil.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

json::value time_or_null(const std::optional<SystemTime>& time) {
  if (!time) return nullptr;
  return json::value(time::format_utc(std::chrono::floor<std::chrono::seconds>(*time)));
}

json::value failure_json(const std::optional<StepFailure>& failure) {
  if (!failure) return nullptr;
  return json::object{{"error", failure->error},   {"said", text_or_null(failure->said)},
                      {"cause", failure->cause},   {"text", failure->cause_text},
                      {"remedy", failure->remedy}, {"passes", failure->passes}};
}

}  // namespace

std::string_view to_string(TestLeg leg) noexcept {
  switch (leg) {
    case TestLeg::incoming:
      return "incoming";
    case TestLeg::outgoing:
      return "outgoing";
    case TestLeg::act:
      return "act";
  }
  return {};
}

std::string_view to_string(TestStepName step) noexcept {
  switch (step) {
    case TestStepName::find_server:
      return "find-server";
    case TestStepName::resolve:
      return "resolve";
    case TestStepName::connect:
      return "connect";
    case TestStepName::tls:
      return "tls";
    case TestStepName::authenticate:
      return "authenticate";
    case TestStepName::open_inbox:
      return "open-inbox";
    case TestStepName::send_to_self:
      return "send-to-self";
    case TestStepName::find_message:
      return "find-message";
    case TestStepName::read_calendar:
      return "read-calendar";
    case TestStepName::write_calendar:
      return "write-calendar";
    case TestStepName::read_contacts:
      return "read-contacts";
    case TestStepName::write_contacts:
      return "write-contacts";
    case TestStepName::read_tasks:
      return "read-tasks";
    case TestStepName::write_tasks:
      return "write-tasks";
  }
  return {};
}

std::string_view to_string(StepState state) noexcept {
  switch (state) {
    case StepState::not_run:
      return "not-run";
    case StepState::running:
      return "running";
    case StepState::success:
      return "success";
    case StepState::failure:
      return "failure";
  }
  return {};
}

TestStep* TestReport::find(TestLeg leg, TestStepName name) noexcept {
  const auto found = std::find_if(steps.begin(), steps.end(),
                                  [&](const TestStep& step) { return step.leg == leg && step.name == name; });
  return found == steps.end() ? nullptr : &*found;
}

bool TestReport::failed() const noexcept {
  return refused || std::any_of(steps.begin(), steps.end(),
                                [](const TestStep& step) { return step.state == StepState::failure; });
}

bool TestReport::may_pass() const noexcept {
  return !refused && std::all_of(steps.begin(), steps.end(),
                                 [](const TestStep& step) { return !step.failure || step.failure->passes; });
}

std::optional<std::chrono::milliseconds> TestReport::retry_after() const noexcept {
  std::optional<std::chrono::milliseconds> longest;
  for (const TestStep& step : steps)
    if (step.failure && step.failure->retry_after && (!longest || *longest < *step.failure->retry_after))
      longest = step.failure->retry_after;
  return longest;
}

json::object to_json(const TestReport& report) {
  json::array steps;
  for (const TestStep& step : report.steps)
    steps.push_back(json::object{{"leg", to_string(step.leg)},
                                 {"step", to_string(step.name)},
                                 {"state", to_string(step.state)},
                                 {"detail", text_or_null(step.detail)},
                                 {"tookMs", std::int64_t{step.took.count()}},
                                 {"failure", failure_json(step.failure)}});
  return {
      {"startedAt", time_or_null(report.started_at)}, {"endedAt", time_or_null(report.ended_at)},
      {"endpoint", text_or_null(report.endpoint)},    {"serverVersion", text_or_null(report.server_version)},
      {"refused", failure_json(report.refused)},      {"steps", std::move(steps)}};
}

}  // namespace syncline::service
