// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the kill test and the cut test play: things that happen in a mailbox and in its records, in steps,
// with a run after each.
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mail_world.hpp"

namespace syncline::sync::testing {

using Step = std::function<void(MailWorld&, MailOrganisation&)>;
struct Scenario {
  const char* name;
  Incoming incoming = Incoming::imap;
  Step prepare = {};  ///< kind of server, policies
  std::vector<Step> steps;
  /// Whether the host keeps what is submitted in the Sent folder: the only evidence that SMTP leaves
  /// (invariant 6).
  bool has_evidence = true;
  /// Messages that are under way together.
  std::size_t at_once = 1;
};
const std::vector<Scenario>& scenarios();
std::string test_name(const Scenario& scenario);

/// How both sides stand at the end.
struct Outcome {
  std::string records;
  std::string contents;
  std::map<std::string, int> mails;
  std::map<std::string, std::string> states;
  std::map<std::string, std::string> recipients;
  bool unconfirmed = false;  ///< what became of single recipients was lost, and that is said
};

/// What is done to the run that follows step `step`: before it, and after it.
struct Trouble {
  std::size_t step = ~std::size_t{0};
  Step before = {};
  Step after = {};
};

/// Plays all steps; after the run in trouble the engine starts again and settles. One more run writes
/// nothing.
Outcome play(const Scenario& scenario, const Trouble& trouble = {});
/// Nothing is lost and nothing is done twice. Of the messages that were under way each may wait for a person
/// instead: one that, where the server leaves evidence, did not go out; where it leaves none, that went out
/// at most once.
void expect_same(const Scenario& scenario, const Outcome& unbroken, const Outcome& broken);

/// SYNCLINE_FULL=1: everything, not samples.
inline bool is_full() {
  const char* full = std::getenv("SYNCLINE_FULL");
  return full != nullptr && std::string_view(full) == "1";
}

}  // namespace syncline::sync::testing
