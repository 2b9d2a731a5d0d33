// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Looks that administrators and users ask a daemon for (service/organisation/look_requests), beside its daily
// pass. They wait in the store: a restart loses none.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "net/event.hpp"
#include "service/placement/placement_pass.hpp"

namespace syncline::service {

/// What one person asks for in one go.
struct LookOrder {
  std::vector<std::string> addresses = {};
  bool follow_moves = false;
  Actor actor = {};
};

struct RequestedLooksSettings {
  /// Of one person's requests so many at a time: who asks for all mailboxes holds up nobody for long.
  std::size_t at_a_time = 20;
  /// Before what failed (the store) is tried again.
  std::chrono::milliseconds after_trouble = std::chrono::minutes(1);
};

class RequestedLooks {
 public:
  /// look_for_mailboxes.
  using Look = std::function<Async<std::vector<PlacementResult>>(LookOrder order)>;
  /// Both must outlive it.
  RequestedLooks(net::Environment& environment, Organisation& organisation, Look look,
                 RequestedLooksSettings settings = {});

  /// Until `stop`. Begins with what an earlier process left. What fails is in the log.
  Async<void> run();
  /// Somebody has asked.
  void wake();
  void stop();

 private:
  struct Waiting {
    store::MailboxId mailbox = 0;
    std::string address;
    store::LookRequest request;
  };
  /// Of who asked first, up to `most`.
  Result<std::vector<Waiting>> next(std::size_t most);
  Result<void> note(const std::vector<Waiting>& asked, const std::vector<PlacementResult>& results);
  net::asio::awaitable<void> wait(std::optional<std::chrono::milliseconds> most);

  net::Environment& environment_;
  Organisation& organisation_;
  Look look_;
  RequestedLooksSettings settings_;
  net::Event changed_;
  bool is_stopping_ = false;
};

}  // namespace syncline::service
