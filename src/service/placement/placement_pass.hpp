// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Hybrid placement: where each mailbox on Exchange really lives, by Autodiscover with its own credentials;
// what the rules say of it by facts instead of claims. One that its profile does not lead to is parked
// (disabled until it fits again), and somebody is told; one that came back goes on.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "model/mailbox_facts.hpp"
#include "service/engine/connections.hpp"
#include "service/organisation/apply.hpp"
#include "service/organisation/assignments.hpp"
#include "service/organisation/look_requests.hpp"
#include "store/placements.hpp"

namespace syncline::service {

struct PlacementResult {
  using What = store::PlacementState;
  std::string address;
  std::string profile = {};
  What what = What::not_asked;
  std::string text = {};  ///< why, for people
  std::optional<model::MailboxFacts> facts = std::nullopt;
  std::optional<Judged> judged = std::nullopt;  ///< by the facts
  bool parked = false;                          ///< is now
  bool changed = false;                         ///< was parked, or goes on, by this look
  std::string reassigned_to = {};               ///< the profile that it was given
  /// False: the look was not begun, cut off, or its assignment was changed meanwhile; another one may say
  /// more.
  bool is_answered = false;
};
/// One line for people, without the address.
std::string describe(const PlacementResult& result);
/// The same in the log of a daemon.
void log_look(const PlacementResult& result);

/// Ends a pass before its end: what is at work is cut off and says nothing, nothing more is begun.
class PlacementStop {
 public:
  void want() {
    is_wanted_ = true;
    if (cut_) cut_();
  }
  bool is_wanted() const noexcept { return is_wanted_; }
  /// The pass's: what `want` cuts off.
  void on_want(std::function<void()> cut) { cut_ = std::move(cut); }

 private:
  bool is_wanted_ = false;
  std::function<void()> cut_ = {};
};

struct PlacementWishes {
  std::vector<std::string> addresses = {};  ///< none: all
  std::size_t at_once = 4;
  /// A mailbox that has moved gets the one profile that fits, if there is exactly one.
  bool follow_moves = false;
  std::function<void(const std::string& address)> on_begin = {};
  std::shared_ptr<Connections> connections = {};  ///< null: its own
  std::shared_ptr<PlacementStop> stop = {};
};

/// Results in the order of the configuration. Errors: of the store. Acts are in the audit.
Async<std::vector<PlacementResult>> look_for_mailboxes(net::asio::any_io_executor executor,
                                                       Organisation& organisation, PlacementWishes wishes,
                                                       Actor actor);

}  // namespace syncline::service
