// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Alerts and the people they are for: who is told of what, by mail and by webhook; one alert for half of a
// profile; acknowledged by whom. Mail goes out as any other does: as an operation of the mailbox that sends
// it, marked as our own (invariants 6 and 18).
#include <chrono>
#include <functional>
#include <string>

#include "base/async.hpp"
#include "service/daemon/schedule.hpp"
#include "store/alert_messages.hpp"
#include "store/journal.hpp"

namespace syncline::service {

class Organisation;

struct AlertDeskSettings {
  /// An alert about a mailbox waits so long: what ends by itself is not told, and what many have in common is
  /// told once.
  std::chrono::milliseconds patience = std::chrono::minutes(5);
  /// Mailboxes of a profile that fail within this time are counted together …
  std::chrono::milliseconds group_window = std::chrono::hours(1);
  /// … and are one alert when they are half of the profile's enabled ones, and at least so many. Those that
  /// have failed in a row for longer than `patience`, or whose server has not answered for so long, count.
  std::size_t group_least = 3;
  /// A mailbox whose runs fail is an alert after so long and so many.
  std::chrono::milliseconds failing_after = std::chrono::minutes(30);
  int failing_runs = 3;
  /// Information is settled after so long by itself.
  std::chrono::milliseconds information_kept = std::chrono::hours(24);
  /// An undelivered webhook is tried for so long, at first after `first_pause`, then twice as long each time.
  std::chrono::milliseconds give_up_after = std::chrono::hours(5 * 24);
  std::chrono::milliseconds first_pause = std::chrono::seconds(30);
  std::chrono::milliseconds longest_pause = std::chrono::hours(1);
};

/// Posts JSON to a URL. Who gives this checks where the URL leads.
using PostAlert = std::function<Async<void>(std::string url, std::string body)>;

/// Told that a mailbox has mail to send.
using WakeSender = std::function<void(const std::string& address)>;

class AlertDesk {
 public:
  /// `post` may be empty: webhooks wait.
  AlertDesk(Organisation& organisation, AlertDeskSettings settings, PostAlert post = {}, WakeSender wake = {})
      : organisation_(organisation), settings_(settings), post_(std::move(post)), wake_(std::move(wake)) {}

  /// Raises and settles what follows from the mailboxes' states, and decides who is told. `turns`: where they
  /// stand in a daemon's schedule, on the organisation's clock. One transaction; nothing is written where
  /// nothing has changed. Errors: of the store.
  Result<void> look(const std::vector<MailboxTurn>& turns = {});
  /// Hands due mail over to its mailbox and posts due webhooks. Errors: of the store; what a receiver says is
  /// kept with the message.
  Async<void> deliver();
  /// `deliver` ends after the message that it is at; the rest waits for the next start.
  void stop() noexcept { is_stopping_ = true; }

 private:
  Result<void> hand_over(store::AlertMessage message);

  Organisation& organisation_;
  AlertDeskSettings settings_;
  PostAlert post_;
  WakeSender wake_;
  bool is_stopping_ = false;
};

}  // namespace syncline::service
