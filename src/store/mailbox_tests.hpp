// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The latest test of each mailbox: the queue of those to come, and what came of those that ended.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "store/links.hpp"
#include "store/store.hpp"

namespace syncline::store {

enum class TestState : std::uint8_t { waiting, running, success, failure };

struct MailboxTestRow {
  MailboxId mailbox = 0;
  TestState state = TestState::waiting;
  std::string runner = {};  ///< who takes it: "daemon", or a process in the foreground
  bool enable = false;      ///< the mailbox, once the test has succeeded
  int attempts = 0;
  SystemTime requested_at{};
  std::string requested_by = {};
  std::string reason = {};
  std::optional<SystemTime> due_at = std::nullopt;    ///< waiting: when it is to begin
  std::optional<SystemTime> ended_at = std::nullopt;  ///< the last attempt
  std::string report = {};                            ///< JSON of the service's
};

/// Adds or replaces.
Result<void> put_mailbox_test(Transaction& transaction, const MailboxTestRow& test);
Result<std::optional<MailboxTestRow>> find_mailbox_test(Transaction& transaction, MailboxId mailbox);
/// By mailbox.
Result<std::vector<MailboxTestRow>> list_mailbox_tests(Transaction& transaction);
/// The one of this runner that has been due the longest; it is running from now on. nullopt: none is.
Result<std::optional<MailboxTestRow>> take_due_mailbox_test(Transaction& transaction,
                                                            std::string_view runner);
/// When the next one of this runner is due; nullopt: none waits.
Result<std::optional<SystemTime>> next_mailbox_test_due(Transaction& transaction, std::string_view runner);
/// Tests of this runner that were at work when it ended wait again.
Result<void> requeue_mailbox_tests(Transaction& transaction, std::string_view runner);

}  // namespace syncline::store
