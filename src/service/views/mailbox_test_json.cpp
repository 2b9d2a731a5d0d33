// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/mailbox_test_json.hpp"

#include <signal.h>

#include <boost/json/parse.hpp>
#include <cerrno>

#include "base/text.hpp"
#include "service/views/json_values.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using store::TestState;

json::value time_or_null(const std::optional<SystemTime>& time) {
  if (!time) return nullptr;
  return json::value(json_time(*time));
}

/// "process 4711", when it is not there any more.
bool has_ended(std::string_view runner) {
  constexpr std::string_view prefix = "process ";
  if (!runner.starts_with(prefix)) return false;
  const auto pid = text::parse_int(runner.substr(prefix.size()));
  return pid && *pid > 0 && ::kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH;
}

}  // namespace

std::string_view to_string(TestState state) noexcept {
  switch (state) {
    case TestState::waiting:
      return "not-run";
    case TestState::running:
      return "running";
    case TestState::success:
      return "success";
    case TestState::failure:
      return "failure";
  }
  return {};
}

json::object to_json(const store::MailboxTestRow& test) {
  boost::system::error_code bad;
  json::value report = test.report.empty() ? json::value() : json::parse(test.report, bad);
  if (bad) report = nullptr;
  const bool cut_off =
      (test.state == TestState::running || test.state == TestState::waiting) && has_ended(test.runner);
  json::value reason;
  if (!test.reason.empty()) reason = test.reason;
  return {{"state", to_string(cut_off ? TestState::waiting : test.state)},
          {"enable", test.enable},
          {"attempts", test.attempts},
          {"requestedAt", time_or_null(test.requested_at)},
          {"requestedBy", test.requested_by},
          {"reason", std::move(reason)},
          {"nextTryAt", cut_off ? json::value() : time_or_null(test.due_at)},
          {"endedAt", time_or_null(test.ended_at)},
          {"report", std::move(report)}};
}

Result<std::map<store::MailboxId, json::object>> latest_tests(store::Transaction& transaction) {
  auto rows = store::list_mailbox_tests(transaction);
  if (!rows) return fail(std::move(rows.error()));
  std::map<store::MailboxId, json::object> tests;
  for (const store::MailboxTestRow& row : *rows) tests.emplace(row.mailbox, to_json(row));
  return tests;
}

}  // namespace syncline::service
