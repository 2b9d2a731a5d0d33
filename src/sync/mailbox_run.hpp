// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One mailbox, once, both ways: what is left of earlier writes, all folders read to their end, what changed
// in the records written. Stopped at any moment it goes on where the store says (design: the heart in one
// picture).
#include <chrono>
#include <functional>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "store/content.hpp"
#include "store/store.hpp"
#include "sync/driver.hpp"
#include "sync/mailbox_settings.hpp"
#include "sync/summary.hpp"

namespace syncline::sync {

struct Surroundings {
  const Clock& clock;
  Random& random;
  std::function<Async<void>(std::chrono::milliseconds)> sleep;
  /// Carries out what waits for the disk beside the executor's thread, and ends after it whatever becomes of
  /// the caller. Then the next page is read meanwhile. Empty: it is done in place, one after the other.
  std::function<Async<void>(std::function<Result<void>()>)> aside = {};
};

struct RunOptions {
  /// Wait for the time when lost writes can be settled and the next message may go; else they stay for a
  /// later run (MailboxSummary::next_attempt).
  bool settle = true;
  /// Compare every folder with the server, not only those whose audit is due.
  bool audit_now = false;
  OnProgress on_progress = {};
  /// Before a run ends with an error: what it had done until then, which stays done.
  std::function<void(const MailboxSummary& done)> on_failure = {};
  std::string name = {};  ///< of this run, in the log
  /// Items of the first page; of later ones as many as their bodies allow, four times as many at most.
  std::size_t first_page_items = 128;
};

/// Everything must outlive the returned coroutine. Errors are of the mailbox as a whole: the store's, and
/// those of the driver that are not one item's.
Async<MailboxSummary> run_mailbox(Surroundings surroundings, store::Store& store,
                                  store::ContentStore& content, Driver& driver,
                                  const MailboxSettings& settings, RunOptions options);

}  // namespace syncline::sync
