// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The latest test of each mailbox, as other programs see it.
#include <boost/json/object.hpp>
#include <map>
#include <string_view>

#include "base/error.hpp"
#include "store/mailbox_tests.hpp"

namespace syncline::service {

/// "not-run", "running", "success", "failure"
std::string_view to_string(store::TestState state) noexcept;

/// {"state","enable","attempts","requestedAt","requestedBy","reason","nextTryAt","endedAt","report"}; the
/// report as in service/mailbox_test/test_report.hpp. A test whose process has ended without it has not run.
boost::json::object to_json(const store::MailboxTestRow& test);

/// By mailbox; those that were never tested are not among them.
Result<std::map<store::MailboxId, boost::json::object>> latest_tests(store::Transaction& transaction);

}  // namespace syncline::service
