// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Asking for mailboxes to be tested: they wait in the store until somebody tests them (service/mailbox_test).
#include <string>
#include <vector>

#include "service/organisation/apply.hpp"
#include "service/organisation/mailbox_gate.hpp"
#include "store/mailbox_tests.hpp"

namespace syncline::service {

/// Who tests in the background; the daemon.
constexpr std::string_view background_tester = "daemon";

struct TestWish {
  std::vector<std::string> addresses = {};  ///< in any case
  bool enable = false;                      ///< once the test has succeeded
  std::string runner = std::string(background_tester);
};

/// Puts mailboxes into the queue of the runner; a test that waits or is done is replaced, one that is at work
/// stays as it is. Those that may not be tested (not approved, rejected by the rules, a secret is missing)
/// come back with their obstacle. One transaction, an entry of the audit for each.
Result<std::vector<Obstacle>> request_tests(Organisation& organisation, const TestWish& wish,
                                            const Actor& actor);

}  // namespace syncline::service
